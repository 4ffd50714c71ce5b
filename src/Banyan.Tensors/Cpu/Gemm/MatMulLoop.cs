namespace Banyan.Cpu;

/// <summary>The matrix product of tensors: float32 by the packed kernels, other types by the slow, obvious loop.</summary>
internal static unsafe class MatMulLoop
{
    /// <summary>y = a b (+ y) (+ bias): a (..., M, K), b (..., K, N) with any strides, broadcast to y (..., M, N), which is dense.</summary>
    public static void Run(Tensor a, Tensor b, Tensor y, bool accumulate, Tensor? bias = null)
    {
        if (y.Device.IsMeta || y.Count == 0)
        {
            return;
        }
        bias = bias is { IsContiguous: false } ? bias.Detach().Contiguous() : bias;
        if (y.Rank == 2 && y.DType == DType.Float32)
        {
            // One product: what layers do. No views are made.
            long* offset = stackalloc long[] { a.Body.Offset, b.Body.Offset, y.Body.Offset }, stride = stackalloc long[] { 0, 0, 0 };
            new Floats(a, b, y, accumulate, bias).Run(offset, stride, 1);
            GC.KeepAlive(a);
            GC.KeepAlive(b);
            GC.KeepAlive(bias);
            return;
        }
        Shape batch = y.Shape.Slice(0, y.Rank - 2);
        Tensor x = a.Detach().Expand(batch.Insert(-1, a.Shape[-2]).Insert(-1, a.Shape[-1]));
        Tensor w = b.Detach().Expand(batch.Insert(-1, b.Shape[-2]).Insert(-1, b.Shape[-1]));
        if (y.DType == DType.Float64)
        {
            StridedLoop.Run(batch, new Doubles(x, w, y, accumulate, bias), y.Pool, Corner(x, batch), Corner(w, batch), Corner(y, batch));
        }
        else
        {
            StridedLoop.Run(batch, new Floats(x, w, y, accumulate, bias), y.Pool, Corner(x, batch), Corner(w, batch), Corner(y, batch));
        }
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(bias);
    }

    // A view of element (0, 0) of each matrix of the batch.
    private static Tensor Corner(Tensor t, in Shape batch) => t.AsView(batch, t.Strides.Slice(0, batch.Rank), t.Body.Offset);

    private struct Doubles(Tensor a, Tensor b, Tensor y, bool accumulate, Tensor? bias) : IInnerLoop
    {
        private readonly double* _a = (double*)a.Body.Storage!.Pointer, _b = (double*)b.Body.Storage!.Pointer, _y = (double*)y.Body.Storage!.Pointer;
        private readonly double* _bias = bias is null ? null : (double*)bias.Body.Storage!.Pointer + bias.Body.Offset;
        private readonly long _m = y.Shape[-2], _n = y.Shape[-1], _k = a.Shape[-1];
        private readonly long _aRow = a.Strides[-2], _aCol = a.Strides[-1], _bRow = b.Strides[-2], _bCol = b.Strides[-1];

        public readonly void Run(long* offset, long* stride, long count)
        {
            for (long z = 0; z < count; z++)
            {
                double* a = _a + offset[0] + z * stride[0], b = _b + offset[1] + z * stride[1], y = _y + offset[2] + z * stride[2];
                for (long i = 0; i < _m; i++)
                {
                    for (long j = 0; j < _n; j++)
                    {
                        double sum = (accumulate ? y[i * _n + j] : 0) + (_bias == null ? 0 : _bias[j]);
                        for (long k = 0; k < _k; k++)
                        {
                            sum += a[i * _aRow + k * _aCol] * b[k * _bRow + j * _bCol];
                        }
                        y[i * _n + j] = sum;
                    }
                }
            }
        }
    }

    private struct Floats(Tensor a, Tensor b, Tensor y, bool accumulate, Tensor? bias) : IInnerLoop
    {
        private readonly ComputePool _pool = y.Pool;
        private readonly GemmArgs _args = new()
        {
            M = y.Shape[-2], N = y.Shape[-1], K = a.Shape[-1],
            A = (float*)a.Body.Storage!.Pointer, ARow = a.Strides[-2], ACol = a.Strides[-1],
            B = (float*)b.Body.Storage!.Pointer, BRow = b.Strides[-2], BCol = b.Strides[-1],
            C = (float*)y.Body.Storage!.Pointer, CRow = y.Shape[-1], Accumulate = accumulate, InBf16 = Tensor.ScopeOf(a, b, y) is { Bf16Products: true },
            Bias = bias is null ? null : (float*)bias.Body.Storage!.Pointer + bias.Body.Offset,
        };

        public readonly void Run(long* offset, long* stride, long count)
        {
            GemmArgs g = _args;
            g.A += offset[0];
            g.B += offset[1];
            g.C += offset[2];
            bool isOneProduct = stride[1] == 0 && (g.M == 1 || stride[0] == g.M * g.ARow);
            if (isOneProduct && count > 1)
            {
                // The batch shares b, and the rows of a go on evenly: more rows of one product. C is dense.
                g.ARow = g.M == 1 ? stride[0] : g.ARow;
                g.M *= count;
                count = 1;
            }
            Gemm.RunBatched(g, count, stride[0], stride[1], stride[2], _pool);
        }
    }
}
