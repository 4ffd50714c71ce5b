namespace Banyan.Nn;

/// <summary>
/// A deep belief network (Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets"): restricted Boltzmann machines on top of each other, each trained on what the one below
/// makes of the data. Parameters: <c>0.W</c>, <c>0.bv</c>, <c>0.bh</c>, <c>1.W</c> ...
/// </summary>
public sealed class DeepBeliefNetwork : Module
{
    /// <summary>A network.</summary>
    /// <param name="widths">Width of the data, then of each layer.</param>
    public DeepBeliefNetwork(params IReadOnlyList<int> widths) =>
        Layers = [.. Enumerable.Range(0, widths.Count - 1).Select(i => Add($"{i}", new RestrictedBoltzmannMachine(widths[i], widths[i + 1])))];

    /// <summary>The machines, the lowest first.</summary>
    public IReadOnlyList<RestrictedBoltzmannMachine> Layers { get; }

    /// <summary>Trains layer by layer, by one turn of contrastive divergence with momentum.</summary>
    /// <param name="data">(N, V), 0 to 1.</param>
    /// <param name="batch">Rows of a step; the rows keep their order.</param>
    /// <param name="epochs">Passes over the data for each layer.</param>
    /// <param name="learningRate">Factor of each step.</param>
    /// <param name="momentum">Share of the step before in each step.</param>
    /// <param name="uniform">Numbers in [0, 1) of a layer and a step, and in it for the hidden (0), visible (1) and again hidden units (2).</param>
    /// <returns>What each layer makes of the data: hidden probabilities (N, H).</returns>
    public IReadOnlyList<Tensor> Train(Tensor data, int batch, int epochs, double learningRate, double momentum, Func<int, int, int, Tensor> uniform)
    {
        List<Tensor> features = [];
        for (int layer = 0; layer < Layers.Count; layer++)
        {
            RestrictedBoltzmannMachine machine = Layers[layer];
            (Tensor weight, Tensor visible, Tensor hidden) = (machine.Weight.Value.Detach() * 0, machine.VisibleBias.Value.Detach() * 0, machine.HiddenBias.Value.Detach() * 0);
            int step = 0;
            for (int epoch = 0; epoch < epochs; epoch++)
            {
                for (long row = 0; row < data.Shape[0]; row += batch, step++)
                {
                    (int l, int s) = (layer, step);
                    ContrastiveDivergence cd = machine.Sample(data.Slice(0, row, Math.Min(batch, data.Shape[0] - row)), draw => uniform(l, s, draw));
                    (weight, visible, hidden) = (weight * momentum + cd.Weight * learningRate, visible * momentum + cd.VisibleBias * learningRate, hidden * momentum + cd.HiddenBias * learningRate);
                    machine.Step(weight, visible, hidden);
                }
            }
            features.Add(data = machine.HiddenGiven(data).Detach());
        }
        return features;
    }
}
