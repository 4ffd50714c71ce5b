using Banyan.Cpu;

namespace Banyan.Tensors.Tests.Cpu;

/// <summary>Batched products, and their way from tensors.</summary>
public sealed unsafe class GemmBatchTests
{
    [Theory]
    [InlineData(1, 3, 5, 7, 1, 1)]
    [InlineData(24, 17, 16, 64, 1, 1)]
    [InlineData(24, 17, 64, 16, 1, 0)]
    [InlineData(24, 17, 64, 16, 0, 1)]
    [InlineData(5, 1, 40, 33, 1, 1)]
    [InlineData(2, 170, 190, 180, 1, 1)]
    public void BatchEqualsOneByOne(long batch, long m, long n, long k, long moveA, long moveB)
    {
        long aBatch = moveA * m * k, bBatch = moveB * k * n, cBatch = m * n + 3;
        float[] a = GemmProblem.Values(batch * m * k, 1), b = GemmProblem.Values(batch * k * n, 2);
        float[] expected = GemmProblem.Values(batch * cBatch, 3), actual = [.. expected];
        fixed (float* pa = a, pb = b, pe = expected, pc = actual)
        {
            GemmArgs g = GemmArgs.RowMajorTransposedB(m, n, k, pa, pb, pe);
            g.Accumulate = true;
            for (long i = 0; i < batch; i++)
            {
                GemmArgs one = g;
                one.A += i * aBatch;
                one.B += i * bBatch;
                one.C += i * cBatch;
                GemmReference.Run(one);
            }
            using var pool = new ComputePool(3);
            g.C = pc;
            Banyan.Cpu.Gemm.RunBatched(g, batch, aBatch, bBatch, cBatch, pool);
        }
        GemmProblem.AssertSameBits(expected, actual, "batch");
    }

    public static TheoryData<long[], long[], bool> TensorShapes() => new()
    {
        { [5, 4], [4, 3], false },
        { [3, 5, 4], [4, 3], false },
        { [3, 1, 4], [4, 3], false },
        { [2, 3, 5, 4], [4, 6], false },
        { [5, 4], [3, 4, 6], false },
        { [2, 3, 5, 4], [2, 3, 4, 6], false },
        { [2, 1, 5, 4], [1, 3, 4, 6], false },
        { [4, 3, 1, 4], [1, 1, 4, 6], false },
        { [3, 4, 5], [4, 3], true },
        { [2, 3, 4, 5], [3, 6, 4], true },
    };

    /// <summary>Broadcast batches and transposed views: each matrix equals the product of its slices by definition.</summary>
    [Theory]
    [MemberData(nameof(TensorShapes))]
    public void TensorProductEqualsTheDefinition(long[] aShape, long[] bShape, bool transposeA)
    {
        Tensor aData = Create(aShape, 1), bData = Create(bShape, 2);
        Tensor a = transposeA ? aData.Transpose(-1, -2) : aData;
        Tensor b = bShape[^2] == a.Shape[-1] ? bData : bData.Transpose(-1, -2);
        Tensor y = a.MatMul(b);
        long m = y.Shape[-2], n = y.Shape[-1], k = a.Shape[-1];
        Shape batch = y.Shape.Slice(0, y.Rank - 2);
        float[] x = a.Expand(batch.Insert(-1, m).Insert(-1, k)).Contiguous().ToArray<float>();
        float[] w = b.Expand(batch.Insert(-1, k).Insert(-1, n)).Contiguous().ToArray<float>();
        float[] expected = new float[batch.Count * m * n];
        fixed (float* px = x, pw = w, pe = expected)
        {
            for (long i = 0; i < batch.Count; i++)
            {
                GemmReference.Run(GemmArgs.RowMajor(m, n, k, px + i * m * k, pw + i * k * n, pe + i * m * n));
            }
        }
        GemmProblem.AssertSameBits(expected, y.ToArray<float>(), "tensors");
    }

    private static Tensor Create(long[] shape, int seed)
    {
        long count = shape.Aggregate(1L, (x, y) => x * y);
        return Tensor.From(GemmProblem.Values(count, seed), shape);
    }
}
