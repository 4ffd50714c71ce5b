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

    /// <summary>ids (bags, n), or all bags one after another with <paramref name="offsets"/>, to (bags, C).</summary>
    public Tensor Forward(Tensor ids, Tensor? offsets, ForwardPass pass) => pass.Visit(this, pass.Scope.Use(Weight).EmbeddingBag(ids, offsets, _mode));
}
