namespace Banyan;

// Products that are arrangements of multiplication and the matrix product.
public sealed partial class Tensor
{
    /// <summary>The outer product of two vectors: (M) and (N) give (M, N).</summary>
    public Tensor Outer(Tensor b)
    {
        CheckVectors("outer", b);
        return Unsqueeze(1) * b.Unsqueeze(0);
    }

    /// <summary>The inner product of two vectors, 0-d.</summary>
    public Tensor Dot(Tensor b)
    {
        CheckVectors("dot", b);
        return MatMul(b);
    }

    private void CheckVectors(string op, Tensor b)
    {
        if (Rank != 1 || b.Rank != 1)
        {
            throw new ArgumentException($"{op}: both must be vectors, given {Shape} and {b.Shape}");
        }
    }

    /// <summary>The Kronecker product: sizes multiply, every element of this tensor scales a copy of <paramref name="b"/>.</summary>
    public Tensor Kron(Tensor b)
    {
        int rank = Math.Max(Rank, b.Rank);
        if (2 * rank > Shape.MaxRank)
        {
            throw new ArgumentException($"kron: at most {Shape.MaxRank / 2} dimensions are supported, given {Shape} and {b.Shape}");
        }
        Span<long> left = stackalloc long[Shape.MaxRank], right = stackalloc long[Shape.MaxRank], sizes = stackalloc long[Shape.MaxRank];
        for (int i = 1; i <= rank; i++)
        {
            int d = rank - i;
            (left[2 * d], left[2 * d + 1]) = (i <= Rank ? Shape[-i] : 1, 1);
            (right[2 * d], right[2 * d + 1]) = (1, i <= b.Rank ? b.Shape[-i] : 1);
            sizes[d] = left[2 * d] * right[2 * d + 1];
        }
        return (Reshape(left[..(2 * rank)]) * b.Reshape(right[..(2 * rank)])).Reshape(sizes[..rank]);
    }

    /// <summary>The cross product of vectors of three along <paramref name="dim"/>; the other dimensions broadcast.</summary>
    public Tensor Cross(Tensor b, int dim = -1)
    {
        if (Shape[dim] != 3 || b.Shape[dim] != 3)
        {
            throw new ArgumentException($"cross: dimension {dim} must be 3 in both, given {Shape} and {b.Shape}");
        }
        (Tensor a0, Tensor a1, Tensor a2) = (Slice(dim, 0, 1), Slice(dim, 1, 1), Slice(dim, 2, 1));
        (Tensor b0, Tensor b1, Tensor b2) = (b.Slice(dim, 0, 1), b.Slice(dim, 1, 1), b.Slice(dim, 2, 1));
        return Cat([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], dim);
    }

    /// <summary>
    /// Sums over pairs of dimensions: <paramref name="dims"/> of this tensor with <paramref name="otherDims"/> of <paramref name="b"/>. The
    /// result has the other dimensions of this tensor, then those of b.
    /// </summary>
    public Tensor TensorDot(Tensor b, ReadOnlySpan<int> dims, ReadOnlySpan<int> otherDims)
    {
        if (dims.Length != otherDims.Length)
        {
            throw new ArgumentException($"tensordot: {dims.Length} dimensions of the first, {otherDims.Length} of the second");
        }
        char[] left = [.. "abcdefgh"[..Rank]], right = [.. "ABCDEFGH"[..b.Rank]];
        for (int i = 0; i < dims.Length; i++)
        {
            right[b.Shape.Axis(otherDims[i])] = left[Shape.Axis(dims[i])];
        }
        string output = new([.. left.Where(l => !right.Contains(l)), .. right.Where(l => !left.Contains(l))]);
        return Einsum($"{new string(left)},{new string(right)}->{output}", this, b);
    }

    /// <summary>y[o] = sum over i and j of this[i] weight[o, i, j] b[j], plus bias[o].</summary>
    /// <param name="b">(..., J), with the leading dimensions of this (..., I).</param>
    /// <param name="weight">(O, I, J).</param>
    /// <param name="bias">(O), or null.</param>
    public Tensor Bilinear(Tensor b, Tensor weight, Tensor? bias = null)
    {
        Tensor y = Einsum("...i,oij,...j->...o", this, weight, b);
        return bias is null ? y : y + bias;
    }
}
