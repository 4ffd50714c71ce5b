namespace Banyan.Nn;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
public sealed class ParameterGroup
{
    /// <summary>A group.</summary>
    /// <param name="parameters">The parameters with their paths.</param>
    /// <param name="weightDecay">Weight decay of all of them.</param>
    /// <param name="lrScale">Factor on the optimizer's learning rate. Default: 1.</param>
    public ParameterGroup(IEnumerable<(string Name, Parameter Parameter)> parameters, double weightDecay, double lrScale = 1)
    {
        Parameters = [.. parameters];
        WeightDecay = weightDecay;
        LrScale = lrScale;
    }

    /// <summary>The parameters with their paths, which name their state in checkpoints.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters { get; }

    /// <summary>Weight decay of the group.</summary>
    public double WeightDecay { get; set; }

    /// <summary>Factor on the optimizer's learning rate. Default: 1.</summary>
    public double LrScale { get; set; }

    /// <summary>
    /// The usual two groups: tensors of two or more dimensions decay, vectors and scalars (biases, norms) do not.
    /// </summary>
    /// <param name="module">The model; frozen parameters and buffers are left out.</param>
    /// <param name="weightDecay">Decay of the first group; the second has none.</param>
    /// <param name="decayEmbeddings">False moves the tables of <see cref="Embedding"/> to the second group. Default: true, as Hugging Face's Trainer.</param>
    public static ParameterGroup[] DecayMatrices(Module module, double weightDecay, bool decayEmbeddings = true)
    {
        var tables = new HashSet<Parameter>();
        if (!decayEmbeddings)
        {
            CollectTables(module, tables);
        }
        var trainable = module.NamedParameters().Where(p => p.Parameter.IsTrainable)
            .ToLookup(p => p.Parameter.Shape.Rank >= 2 && !tables.Contains(p.Parameter));
        return [new ParameterGroup(trainable[true], weightDecay), new ParameterGroup(trainable[false], 0)];
    }

    private static void CollectTables(Module module, HashSet<Parameter> tables)
    {
        if (module is Embedding table)
        {
            tables.Add(table.Weight);
        }
        foreach ((_, Module child) in module.Children)
        {
            CollectTables(child, tables);
        }
    }
}
