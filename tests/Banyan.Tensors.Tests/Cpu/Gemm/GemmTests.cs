using Banyan.Cpu;

namespace Banyan.Tensors.Tests.Cpu;

/// <summary>Every path of the product equals the scalar definition to the bit.</summary>
public sealed class GemmTests
{
    // Small blocks, so that small products have several in each direction.
    private static readonly GemmBlocking[] Cuts =
    [
        GemmBlocking.Default,
        new(Rows: 12, Columns: 32, Depth: 8, OperandPacking.Always),
        new(Rows: 28, Columns: 96, Depth: 20, OperandPacking.Avoid),
        new(Rows: 6, Columns: 16, Depth: 1000, OperandPacking.Auto),
    ];

    private static void Check(GemmProblem problem, ComputePool pool)
    {
        float[] expected = problem.Expected();
        foreach (GemmBlocking cut in Cuts)
        {
            GemmProblem.AssertSameBits(expected, problem.Actual(pool, cut), $"{problem} cut {cut}, {pool.Threads} threads");
        }
    }

    public static TheoryData<long, long, long> Sizes()
    {
        TheoryData<long, long, long> sizes = [];
        foreach (long m in new long[] { 1, 2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 29, 61 })
        {
            foreach ((long n, long k) in new (long, long)[] { (1, 1), (3, 5), (7, 4), (8, 0), (15, 9), (16, 16), (17, 33), (31, 3), (33, 64), (50, 7), (64, 21), (97, 43) })
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
        using var pool = new ComputePool(1);
        foreach (bool ta in new[] { false, true })
        {
            foreach (bool tb in new[] { false, true })
            {
                Check(new GemmProblem(m, n, k) { TransposeA = ta, TransposeB = tb }, pool);
                Check(new GemmProblem(m, n, k) { TransposeA = ta, TransposeB = tb, Gap = 3 }, pool);
            }
            Check(new GemmProblem(m, n, k) { TransposeA = ta, Step = 2, Gap = 1 }, pool);
        }
    }

    public static TheoryData<long, bool, bool> Forms()
    {
        TheoryData<long, bool, bool> forms = [];
        foreach (long m in new long[] { 1, 4, 7, 8, 30 })
        {
            forms.Add(m, false, false);
            forms.Add(m, false, true);
            forms.Add(m, true, false);
            forms.Add(m, true, true);
        }
        return forms;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void AccumulateBiasActivationAndResidualEqualTheDefinition(long m, bool ta, bool tb)
    {
        using var pool = new ComputePool(2);
        foreach (bool accumulate in new[] { false, true })
        {
            foreach (bool bias in new[] { false, true })
            {
                foreach (ResidualKind residual in Enum.GetValues<ResidualKind>())
                {
                    var problem = new GemmProblem(m, 45, 50)
                    {
                        TransposeA = ta, TransposeB = tb, Accumulate = accumulate, Bias = bias, Residual = residual, Gap = 2,
                    };
                    Check(problem, pool);
                    Check(problem with { Relu = true, Gap = 0 }, pool);
                    Check(problem with { Prepack = true }, pool);
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(64)]
    public void PrepackedWeightsGiveTheBitsOfPlainOnes(long m)
    {
        using var pool = new ComputePool(3);
        foreach (bool tb in new[] { false, true })
        {
            var problem = new GemmProblem(m, 83, 301) { TransposeB = tb, Bias = true };
            float[] expected = problem.Expected();
            foreach (GemmBlocking cut in Cuts)
            {
                GemmProblem.AssertSameBits(expected, (problem with { Prepack = true }).Actual(pool, cut), $"{problem} prepacked, {cut}");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void EveryThreadCountGivesTheSameBits(int threads)
    {
        using var pool = new ComputePool(threads);
        foreach (long m in new long[] { 1, 7, 257 })
        {
            foreach (bool tb in new[] { false, true })
            {
                var problem = new GemmProblem(m, 200, 700) { TransposeB = tb, Accumulate = true };
                GemmProblem.AssertSameBits(problem.Expected(), problem.Actual(pool), $"{problem}, {threads} threads");
                var tall = new GemmProblem(700, 50, m) { TransposeA = true, TransposeB = tb };
                GemmProblem.AssertSameBits(tall.Expected(), tall.Actual(pool), $"{tall}, {threads} threads");
            }
        }
    }

    [Fact]
    public void AVocabularyOfColumnsIsTheSameForEveryThreadCount()
    {
        foreach (long m in new long[] { 1, 7, 257 })
        {
            var problem = new GemmProblem(m, 50_257, 12) { TransposeB = true };
            using var one = new ComputePool(1);
            float[] expected = problem.Actual(one);
            foreach (int threads in new[] { 2, 3, 4, 7 })
            {
                using var pool = new ComputePool(threads);
                GemmProblem.AssertSameBits(expected, problem.Actual(pool), $"{problem}, {threads} threads");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(257)]
    public void ARowDoesNotDependOnTheOthers(long m)
    {
        using var pool = new ComputePool(2);
        var problem = new GemmProblem(m, 50_257, 24) { TransposeB = true };
        float[] all = problem.Actual(pool);
        GemmProblem.AssertSameBits((problem with { M = 1 }).Expected(), all[..50_257], "the first row");
        Check(new GemmProblem(m, 50, 257) { TransposeB = true }, pool);
    }

    [Fact]
    public void ManyDepthBlocksOfTheDefaultCutContinueTheChains()
    {
        using var pool = new ComputePool(2);
        var problem = new GemmProblem(19, 35, 5 * GemmBlocking.Default.Depth + 3) { TransposeB = true, Bias = true, Residual = ResidualKind.InPlace };
        GemmProblem.AssertSameBits(problem.Expected(), problem.Actual(pool), problem.ToString());
    }

    [Fact]
    public void NaNInfinityAndSignedZeroFollowTheDefinition()
    {
        using var pool = new ComputePool(1);
        float[] special = [float.NaN, float.PositiveInfinity, -0f, 0f, float.Epsilon, float.MaxValue];
        foreach (long m in new long[] { 1, 20 })
        {
            Specials(special, m, pool);
        }
    }

    private static unsafe void Specials(float[] special, long m, ComputePool pool)
    {
        const long N = 37, K = 11;
        float[] a = GemmProblem.Values(m * K, 1), b = GemmProblem.Values(K * N, 2), fast = new float[m * N], slow = new float[m * N];
        for (int i = 0; i < special.Length; i++)
        {
            b[i * 61] = special[i];
        }
        fixed (float* pa = a, pb = b, pFast = fast, pSlow = slow)
        {
            Banyan.Cpu.Gemm.Run(GemmArgs.RowMajorTransposedB(m, N, K, pa, pb, pFast), pool);
            GemmReference.Run(GemmArgs.RowMajorTransposedB(m, N, K, pa, pb, pSlow));
        }
        // The sign and payload of a NaN are free.
        Assert.Equal(slow.Select(Canonical), fast.Select(Canonical));
        static int Canonical(float x) => float.IsNaN(x) ? int.MaxValue : BitConverter.SingleToInt32Bits(x);
    }

    [Fact]
    public void APackedMatrixOfOtherSizesIsRefused()
    {
        using var pool = new ComputePool(1);
        using PackedMatrix packed = Pack(4, 5, pool);
        var e = Assert.Throws<ArgumentException>(() => Banyan.Cpu.Gemm.WithPackedB(new GemmArgs { M = 1, N = 6, K = 4 }, packed));
        Assert.Contains("4 x 5", e.Message, StringComparison.Ordinal);
        Assert.Contains("4 x 6", e.Message, StringComparison.Ordinal);
    }

    private static unsafe PackedMatrix Pack(long k, long n, ComputePool pool)
    {
        float[] b = GemmProblem.Values(k * n, 1);
        fixed (float* p = b)
        {
            return Banyan.Cpu.Gemm.Pack(k, n, p, n, 1, pool);
        }
    }

    [Fact]
    public void RunAllocatesNothing()
    {
        using var pool = new ComputePool(2);
        Assert.Equal(0, AllocatedByRepeatedRuns(pool, 64, 96, 80));
        Assert.Equal(0, AllocatedByRepeatedRuns(pool, 1, 512, 512));
    }

    private static unsafe long AllocatedByRepeatedRuns(ComputePool pool, long m, long n, long k)
    {
        float[] a = GemmProblem.Values(m * k, 1), b = GemmProblem.Values(k * n, 2), c = new float[m * n];
        fixed (float* pa = a, pb = b, pc = c)
        {
            GemmArgs g = GemmArgs.RowMajorTransposedB(m, n, k, pa, pb, pc);
            Banyan.Cpu.Gemm.Run(g, pool);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++)
            {
                Banyan.Cpu.Gemm.Run(g, pool);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
