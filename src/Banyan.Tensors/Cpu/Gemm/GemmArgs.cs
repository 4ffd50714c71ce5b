namespace Banyan.Cpu;

/// <summary>
/// One float32 matrix product on raw memory: C[M, N] = act(A[M, K] B[K, N] + bias) + residual. Strides are in elements and arbitrary
/// for A and B; the columns of C and of the residual are adjacent.
/// </summary>
/// <remarks>
/// <para>
/// The promise: each element of C is one chain, <c>acc = init; for k = 0 .. K-1: acc = fma(A[m, k], B[k, n], acc)</c>, and then in this
/// order <c>acc + bias[n]</c>, the activation, <c>+ residual[m, n]</c>. It depends on its row, its column and K, on nothing else: not on
/// M, N, strides, packing, blocking, caches, vector width or threads.
/// </para>
/// <para>
/// <c>init</c> is 0, or with <see cref="Accumulate"/> the value in C: the chain goes on where the last product stopped, so the gradient
/// of a batch in one piece and in micro-batches has the same bits. To add a finished product once instead, pass C as the residual.
/// </para>
/// <para>C must not overlap A, B or the bias. The residual is C itself (same pointer and stride) or does not overlap it.</para>
/// </remarks>
internal unsafe struct GemmArgs
{
    public long M, N, K;

    public float* A;
    public long ARow, ACol;

    public float* B;
    public long BRow, BCol;

    public float* C;
    public long CRow;

    /// <summary>The chains start from C instead of 0.</summary>
    public bool Accumulate;

    /// <summary>N values, one for each column, or null.</summary>
    public float* Bias;

    /// <summary>M rows of N values added last, or null.</summary>
    public float* Residual;
    public long ResidualRow;

    /// <summary>
    /// The operands are rounded to bfloat16, and two values of k are one step: <c>acc = fma(A[m, 2i], B[2i, n], fma(A[m, 2i+1], B[2i+1, n], acc))</c>, with a
    /// zero after an odd K. The sums stay float32; what is smaller than a normal float32 may become 0.
    /// </summary>
    public bool InBf16;

    /// <summary>B points to the panels of a <see cref="PackedMatrix"/>; BRow and BCol are not used.</summary>
    internal bool BIsPacked;

    /// <summary>C = A B of row-major operands.</summary>
    public static GemmArgs RowMajor(long m, long n, long k, float* a, float* b, float* c) => new()
    {
        M = m, N = n, K = k, A = a, ARow = k, ACol = 1, B = b, BRow = n, BCol = 1, C = c, CRow = n,
    };

    /// <summary>C = A W^T: the layer's product, with weights stored [N, K] (out, in) as checkpoints do.</summary>
    public static GemmArgs RowMajorTransposedB(long m, long n, long k, float* a, float* w, float* c) => new()
    {
        M = m, N = n, K = k, A = a, ARow = k, ACol = 1, B = w, BRow = 1, BCol = k, C = c, CRow = n,
    };
}
