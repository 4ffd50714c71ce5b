namespace Banyan.Nn;

/// <summary>A table of vectors, read by id. Parameter: <c>weight</c> (V, C).</summary>
public sealed class Embedding : Module
{
    private readonly long? _paddingIdx;
    private readonly bool _scaleGradByFreq;

    /// <summary>A table of <paramref name="count"/> rows.</summary>
    /// <param name="count">Number of ids.</param>
    /// <param name="width">Length of a row.</param>
    /// <param name="initializer">Default: normal with standard deviation 1, as PyTorch's.</param>
    /// <param name="paddingIdx">A row that gets no gradient. Default: none.</param>
    /// <param name="scaleGradByFreq">True divides the gradient of a row by how often the ids name it. Default: false.</param>
    public Embedding(long count, long width, Initializer? initializer = null, long? paddingIdx = null, bool scaleGradByFreq = false)
    {
        _paddingIdx = paddingIdx;
        _scaleGradByFreq = scaleGradByFreq;
        Weight = Add("weight", [count, width], initializer ?? Initializer.Normal(1), acceptsBlocks: true);
    }

    /// <summary>(V, C).</summary>
    public Parameter Weight { get; }

    /// <summary>ids (...) to (..., C).</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not a row.</exception>
    public Tensor Forward(Tensor ids, ForwardPass pass)
    {
        Tensor rows = Weight.Value.Embedding(ids, _paddingIdx, _scaleGradByFreq);
        // A table that is stored in 16 bits gives what the layers compute with.
        return pass.Visit(this, rows.DType == DType.BFloat16 || rows.DType == DType.Float16 ? rows.To(DType.Float32) : rows);
    }
}
