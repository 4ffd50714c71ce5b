namespace Banyan.Nn;

/// <summary>What a step of contrastive divergence found.</summary>
/// <param name="HiddenProbabilities">Of the hidden units given what was seen, and after each turn given the visible units: (B, H) each.</param>
/// <param name="Hidden">The hidden units drawn by them (B, H).</param>
/// <param name="VisibleProbabilities">Of the visible units in each turn (B, V).</param>
/// <param name="Visible">The drawn visible units (B, V).</param>
/// <param name="Weight">What log likelihood gains by W, approximately (H, V).</param>
/// <param name="VisibleBias">By the visible biases (V).</param>
/// <param name="HiddenBias">By the hidden biases (H).</param>
public sealed record ContrastiveDivergence(
    IReadOnlyList<Tensor> HiddenProbabilities, IReadOnlyList<Tensor> Hidden, IReadOnlyList<Tensor> VisibleProbabilities, IReadOnlyList<Tensor> Visible, Tensor Weight, Tensor VisibleBias, Tensor HiddenBias);

/// <summary>
/// A restricted Boltzmann machine (Smolensky 1986; Hinton 2002, "Training products of experts by minimizing contrastive divergence"): binary visible and hidden units whose joint probability is
/// proportional to exp(v b_v + h b_h + h W v). Parameters: <c>W</c> (H, V), <c>bv</c> (V), <c>bh</c> (H).
/// </summary>
public sealed class RestrictedBoltzmannMachine : Module
{
    /// <summary>A machine.</summary>
    /// <param name="visible">V.</param>
    /// <param name="hidden">H.</param>
    public RestrictedBoltzmannMachine(int visible, int hidden)
    {
        Weight = Add("W", [hidden, visible], Initializer.Normal(0.01));
        VisibleBias = Add("bv", [visible], Initializer.Zeros);
        HiddenBias = Add("bh", [hidden], Initializer.Zeros);
    }

    /// <summary>W (H, V).</summary>
    public Parameter Weight { get; }

    /// <summary>b_v (V).</summary>
    public Parameter VisibleBias { get; }

    /// <summary>b_h (H).</summary>
    public Parameter HiddenBias { get; }

    /// <summary>Probabilities (B, H) of the hidden units given the visible ones (B, V).</summary>
    public Tensor HiddenGiven(Tensor visible) => Ops.Linear.Apply(visible, Weight, HiddenBias).Sigmoid();

    /// <summary>Probabilities (B, V) of the visible units given the hidden ones (B, H).</summary>
    public Tensor VisibleGiven(Tensor hidden) => (hidden.MatMul(Weight.Value) + VisibleBias.Value).Sigmoid();

    /// <summary>-log of the unnormalised probability of what is seen (B): -v b_v - sum of softplus(b_h + W v).</summary>
    public Tensor FreeEnergy(Tensor visible) => -(visible * VisibleBias.Value).Sum(1) - Ops.Linear.Apply(visible, Weight, HiddenBias).Softplus().Sum(1);

    /// <summary>
    /// k turns of Gibbs sampling from what is seen, and the direction that they give. The positive phase uses the hidden probabilities, the negative one the last drawn visible units and the hidden
    /// probabilities given them (Hinton 2010, "A practical guide to training restricted Boltzmann machines").
    /// </summary>
    /// <param name="seen">(B, V), 0 or 1.</param>
    /// <param name="uniform">Numbers in [0, 1) for the first hidden units, then by turns for visible and hidden ones; a unit is 1 where its number is below its probability.</param>
    /// <param name="turns">k. Default: 1.</param>
    public ContrastiveDivergence Sample(Tensor seen, Func<int, Tensor> uniform, int turns = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(turns, 1);
        List<Tensor> hiddenP = [HiddenGiven(seen)], hidden = [Draw(hiddenP[0], uniform(0))], visibleP = [], visible = [];
        for (int turn = 0; turn < turns; turn++)
        {
            visibleP.Add(VisibleGiven(hidden[turn]));
            visible.Add(Draw(visibleP[turn], uniform(2 * turn + 1)));
            hiddenP.Add(HiddenGiven(visible[turn]));
            hidden.Add(Draw(hiddenP[turn + 1], uniform(2 * turn + 2)));
        }
        double batch = seen.Shape[0];
        Tensor weight = (hiddenP[0].Transpose(0, 1).MatMul(seen) - hiddenP[^1].Transpose(0, 1).MatMul(visible[^1])) / batch;
        return new(hiddenP, hidden, visibleP, visible, weight, (seen - visible[^1]).Mean([0]), (hiddenP[0] - hiddenP[^1]).Mean([0]));
    }

    /// <summary>Moves the parameters.</summary>
    public void Step(Tensor weight, Tensor visibleBias, Tensor hiddenBias)
    {
        foreach ((Parameter p, Tensor by) in ((Parameter, Tensor)[])[(Weight, weight), (VisibleBias, visibleBias), (HiddenBias, hiddenBias)])
        {
            p.Value.CopyFrom(p.Value.Detach() + by.Detach());
        }
    }

    private static Tensor Draw(Tensor probabilities, Tensor uniform) => (uniform < probabilities).To(probabilities.DType);
}
