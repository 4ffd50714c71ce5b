namespace Banyan.Nn;

/// <summary>
/// The factorised causal patterns of Child et al. 2019, "Generating Long Sequences with Sparse Transformers" (arXiv:1904.10509), as masks for
/// <see cref="AttentionOptions.Mask"/>: (T, T), true = the query of the row sees the key of the column. Each is the union of the paper's two heads.
/// </summary>
public static class SparseTransformer
{
    /// <summary>The last <paramref name="stride"/> keys before the query, itself, and every key a multiple of the stride before it.</summary>
    public static Tensor Strided(int length, int stride)
    {
        Check(length, stride);
        return Causal(length, (i, j) => i - j <= stride || (i - j) % stride == 0);
    }

    /// <summary>The query's own block of <paramref name="stride"/> keys, and the last <paramref name="summaries"/> keys (the paper's c) of every block.</summary>
    public static Tensor Fixed(int length, int stride, int summaries = 1)
    {
        Check(length, stride);
        return Causal(length, (i, j) => i / stride == j / stride || j % stride >= stride - summaries);
    }

    private static void Check(int length, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
    }

    private static Tensor Causal(int length, Func<int, int, bool> sees)
    {
        var mask = new bool[checked(length * length)];
        for (int i = 0; i < length; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                mask[(i * length) + j] = sees(i, j);
            }
        }
        return Tensor.From(mask, [length, length]);
    }
}
