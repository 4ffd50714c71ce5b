using Banyan.Cpu;

namespace Banyan.Tensors.Tests.Cpu;

/// <summary>Products with operands rounded to bfloat16 equal the scalar definition to the bit, emitted or managed.</summary>
public sealed class GemmBf16Tests
{
    private static readonly GemmBlocking[] s_cuts =
    [
        GemmBlocking.Default,
        new(Rows: 12, Columns: 32, Depth: 8, OperandPacking.Always),
        new(Rows: 28, Columns: 96, Depth: 20, OperandPacking.Avoid),
    ];

    public static TheoryData<long, long, long> Sizes()
    {
        TheoryData<long, long, long> sizes = [];
        foreach (long m in new long[] { 1, 2, 7, 13, 14, 15, 61, 200 })
        {
            foreach ((long n, long k) in new (long, long)[] { (1, 1), (3, 5), (8, 0), (16, 16), (17, 33), (33, 64), (64, 65), (97, 43), (257, 300) })
            {
                sizes.Add(m, n, k);
            }
        }
        return sizes;
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void RaggedSizesEqualTheDefinition(long m, long n, long k)
    {
        foreach (int threads in new[] { 1, 2 })
        {
            using var pool = new ComputePool(threads);
            foreach ((bool ta, bool tb) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                var problem = new GemmProblem(m, n, k) { TransposeA = ta, TransposeB = tb, Gap = 1, InBf16 = true, Accumulate = ta, Bias = tb, Residual = tb && !ta ? ResidualKind.InPlace : ResidualKind.None };
                float[] expected = problem.Expected();
                foreach (GemmBlocking cut in s_cuts)
                {
                    GemmProblem.AssertSameBits(expected, problem.Actual(pool, cut), $"{problem} cut {cut}, {threads} threads");
                }
            }
        }
    }

    [Fact]
    public unsafe void NaNAndInfinityStayWhatTheyAre()
    {
        using var pool = new ComputePool(1);
        float[] a = [float.NaN, 1, float.PositiveInfinity, 1], b = [1, 1], c = new float[2];
        fixed (float* pa = a, pb = b, pc = c)
        {
            Banyan.Cpu.Gemm.Run(GemmArgs.RowMajor(2, 1, 2, pa, pb, pc) with { InBf16 = true }, pool);
        }
        Assert.Equal([float.NaN, float.PositiveInfinity], c);
    }
}
