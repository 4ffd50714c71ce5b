namespace Banyan;

// Triangles and diagonals of matrices in the last two dimensions.
public sealed partial class Tensor
{
    /// <summary>The lower triangle, zeros above the diagonal; <paramref name="diagonal"/> moves it up (positive) or down.</summary>
    public Tensor Tril(long diagonal = 0) => MaskedFill(~LowerTriangle(Shape[-2], Shape[-1], diagonal), 0);

    /// <summary>The upper triangle, zeros below the diagonal; <paramref name="diagonal"/> moves it up (positive) or down.</summary>
    public Tensor Triu(long diagonal = 0) => MaskedFill(LowerTriangle(Shape[-2], Shape[-1], diagonal - 1), 0);

    /// <summary>Rows and columns of the lower triangle of a matrix: (2, n), int64, row by row.</summary>
    public static Tensor TrilIndices(long rows, long columns, long offset = 0) =>
        LowerTriangle(rows, columns, offset).Nonzero().Transpose(0, 1).Contiguous();

    /// <summary>Rows and columns of the upper triangle of a matrix: (2, n), int64, row by row.</summary>
    public static Tensor TriuIndices(long rows, long columns, long offset = 0) =>
        (~LowerTriangle(rows, columns, offset - 1)).Nonzero().Transpose(0, 1).Contiguous();

    /// <summary>Vectors in the last dimension as (off-)diagonals of square matrices of zeros: (..., n) becomes (..., n + |offset|, n + |offset|).</summary>
    public Tensor DiagEmbed(int offset = 0)
    {
        long n = Shape[-1] + Math.Abs(offset);
        return Ops.DiagonalPad.Apply(this, Shape.With(-1, n).Insert(-1, n), offset, Rank - 1, Rank);
    }

    /// <summary>A matrix with this vector on its diagonal, or (a view of) the diagonal of this matrix.</summary>
    public Tensor Diag(int offset = 0) => Rank switch
    {
        1 => DiagEmbed(offset),
        2 => Diagonal(offset),
        _ => throw new ArgumentException($"diag: a vector or a matrix is needed, given {Shape}"),
    };

    /// <summary>The sum of a matrix's diagonal, 0-d.</summary>
    public Tensor Trace() => Rank == 2 ? Diagonal().Sum() : throw new ArgumentException($"trace: a matrix is needed, given {Shape}");

    // Where column <= row + offset.
    private static Tensor LowerTriangle(long rows, long columns, long offset) =>
        Arange(columns) <= From(Sequence(rows, i => i + offset), [rows, 1]);
}
