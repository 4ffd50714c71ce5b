namespace Banyan.Models;

/// <summary>Chooses experts: from logits (T, E) to weights (T, K) and the indices of the chosen (T, K), int64.</summary>
public delegate (Tensor Weights, Tensor Indices) Routing(Tensor logits);

/// <summary>How families route.</summary>
public static class Routings
{
    /// <summary>The K most probable of a softmax over all experts; their probabilities are the weights.</summary>
    /// <param name="k">K.</param>
    /// <param name="normalise">Whether the weights of a token are divided by their sum.</param>
    public static Routing SoftmaxTopK(int k, bool normalise) => logits =>
    {
        (Tensor weights, Tensor indices) = logits.Softmax(-1).TopK(k);
        return (normalise ? weights / weights.Sum(-1, keepDim: true) : weights, indices);
    };

    /// <summary>A softmax over the K largest logits only.</summary>
    public static Routing TopKSoftmax(int k) => logits =>
    {
        (Tensor values, Tensor indices) = logits.TopK(k);
        return (values.Softmax(-1), indices);
    };

    /// <summary>
    /// SparseMixer (Liu et al. 2023, arXiv:2310.00811) as PhiMoE uses it outside training: each of two choices in turn has the weight of a softmax over those logits
    /// that come near enough to the largest left.
    /// </summary>
    /// <param name="noise">The relative distance is at most twice this.</param>
    public static Routing SparseMixer(double noise) => logits =>
    {
        (Tensor first, Tensor best) = Choose(logits, logits, noise);
        Tensor rest = logits.Scatter(-1, best, double.NegativeInfinity);
        (Tensor second, Tensor next) = Choose(logits, rest, noise);
        return (Tensor.Cat([first, second], -1), Tensor.Cat([best, next], -1));
    };

    // One choice among candidates, some of which are -inf already.
    private static (Tensor Weight, Tensor Index) Choose(Tensor logits, Tensor candidates, double noise)
    {
        (Tensor largest, Tensor index) = candidates.Detach().TopK(1);
        Tensor distance = (largest - logits.Detach()) / Tensor.Maximum(logits.Detach().Abs(), largest);
        return (candidates.MaskedFill(distance > 2 * noise, double.NegativeInfinity).Softmax(-1).Gather(-1, index), index);
    }
}
