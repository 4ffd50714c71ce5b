using Banyan.Cpu;

namespace Banyan.Tensors.Tests.Cpu;

/// <summary>Where the residual of a product lies.</summary>
public enum ResidualKind
{
    None,
    Separate,
    InPlace,
}

/// <summary>
/// One product: sizes, storage and epilogue. <see cref="Expected"/> computes it by the oracle, <see cref="Actual"/> by the kernels; the
/// results hold C with its gaps, so that a write outside C shows.
/// </summary>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">Length of the chains.</param>
public sealed record GemmProblem(long M, long N, long K)
{
    public bool TransposeA { get; init; }

    public bool TransposeB { get; init; }

    /// <summary>Elements between neighbours along the inner dimension of A and B; more than 1 is neither row- nor column-major.</summary>
    public int Step { get; init; } = 1;

    /// <summary>Unused elements at the end of each row of C and of each line of A and B.</summary>
    public int Gap { get; init; }

    public bool Accumulate { get; init; }

    public bool Bias { get; init; }

    public bool Relu { get; init; }

    public ResidualKind Residual { get; init; }

    public bool Prepack { get; init; }

    /// <summary>The operands are rounded to bfloat16.</summary>
    public bool InBf16 { get; init; }

    /// <summary>The result by definition.</summary>
    internal float[] Expected() => Compute((in GemmArgs g) => RunReference(g));

    /// <summary>The result of the kernels.</summary>
    internal float[] Actual(ComputePool pool, GemmBlocking? blocking = null) => Compute((in GemmArgs g) => RunKernels(g, pool, blocking ?? GemmBlocking.Default));

    private delegate void Product(in GemmArgs g);

    private void RunReference(in GemmArgs g)
    {
        if (Relu)
        {
            GemmReference.Run<Ops.Relu>(g);
        }
        else
        {
            GemmReference.Run(g);
        }
    }

    private unsafe void RunKernels(in GemmArgs g, ComputePool pool, in GemmBlocking blocking)
    {
        using PackedMatrix? packed = Prepack ? Banyan.Cpu.Gemm.Pack(K, N, g.B, g.BRow, g.BCol, pool) : null;
        GemmArgs args = packed == null ? g : Banyan.Cpu.Gemm.WithPackedB(g, packed);
        if (Relu)
        {
            Banyan.Cpu.Gemm.Run<Ops.Relu>(args, pool, blocking);
        }
        else
        {
            Banyan.Cpu.Gemm.Run<Identity>(args, pool, blocking);
        }
    }

    private unsafe float[] Compute(Product product)
    {
        (long aRow, long aCol, long aCount) = Layout(M, K, TransposeA);
        (long bRow, long bCol, long bCount) = Layout(K, N, TransposeB);
        float[] a = Values(aCount, 1), b = Values(bCount, 2), c = Values(M * (N + Gap), 3), bias = Values(N, 4), residual = Values(M * (N + 2 * Gap), 5);
        fixed (float* pa = a, pb = b, pc = c, pBias = bias, pResidual = residual)
        {
            product(new GemmArgs
            {
                M = M, N = N, K = K, A = pa, ARow = aRow, ACol = aCol, B = pb, BRow = bRow, BCol = bCol, C = pc, CRow = N + Gap,
                Accumulate = Accumulate, InBf16 = InBf16, Bias = Bias ? pBias : null,
                Residual = Residual switch { ResidualKind.InPlace => pc, ResidualKind.Separate => pResidual, _ => null },
                ResidualRow = Residual == ResidualKind.InPlace ? N + Gap : N + 2 * Gap,
            });
        }
        return c;
    }

    private (long Row, long Col, long Count) Layout(long rows, long cols, bool transposed)
    {
        long line = (transposed ? rows : cols) * Step + Gap, count = Math.Max(1, (transposed ? cols : rows) * line);
        return transposed ? (Step, line, count) : (line, Step, count);
    }

    /// <summary>Values of many magnitudes, so that another order of summation gives other bits.</summary>
    internal static float[] Values(long count, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[Math.Max(count, 1)];
        for (long i = 0; i < count; i++)
        {
            values[i] = (random.NextSingle() - 0.5f) * MathF.Exp(random.NextSingle() * 4);
        }
        return values;
    }

    /// <summary>Fails at the first element whose bits differ.</summary>
    internal static void AssertSameBits(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
            {
                Assert.Fail($"{what}: element {i} is {actual[i]:R}, by definition {expected[i]:R}");
            }
        }
    }
}
