namespace Banyan.Nn;

/// <summary>A table of vectors that combines the rows each bag of ids names. Parameter: <c>weight</c> (V, C).</summary>
public sealed class EmbeddingBag : Module
{
    private readonly EmbeddingBagMode _mode;

    /// <summary>A table of <paramref name="count"/> rows.</summary>
    /// <param name="count">Number of ids.</param>
    /// <param name="width">Length of a row.</param>
    /// <param name="mode">How the rows of a bag are combined. Default: their mean.</param>
    public EmbeddingBag(long count, long width, EmbeddingBagMode mode = EmbeddingBagMode.Mean)
    {
        _mode = mode;
        Weight = Add("weight", [count, width], Initializer.Normal(1));
    }

    /// <summary>(V, C).</summary>
    public Parameter Weight { get; }

    /// <summary>ids (bags, n), or all bags one after another with <paramref name="offsets"/>, to (bags, C). An empty bag gives zeros.</summary>
    /// <param name="ids">(bags, n), or (total).</param>
    /// <param name="offsets">(bags): where each bag begins; null when ids have two dimensions.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="perSampleWeights">A factor for each id, of the ids' shape; sums only. Default: none.</param>
    /// <exception cref="ArgumentException">Weights with another mode than the sum.</exception>
    public Tensor Forward(Tensor ids, Tensor? offsets, ForwardPass pass, Tensor? perSampleWeights = null)
    {
        Tensor table = pass.Scope.Use(Weight);
        if (perSampleWeights is null)
        {
            return pass.Visit(this, table.EmbeddingBag(ids, offsets, _mode));
        }
        if (_mode != EmbeddingBagMode.Sum)
        {
            throw new ArgumentException($"embedding bag: weights for each id go with sums; this layer's mode is {_mode}");
        }
        // The weighted rows are a table of their own, whose every row is named once.
        Tensor rows = table.Embedding(ids).Reshape(ids.Count, table.Shape[1]) * perSampleWeights.Reshape(ids.Count, 1);
        Tensor order = Tensor.From(Enumerable.Range(0, (int)ids.Count).Select(i => (long)i).ToArray(), ids.Shape);
        return pass.Visit(this, rows.EmbeddingBag(order, offsets, _mode));
    }
}
