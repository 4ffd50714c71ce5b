namespace Banyan.Cpu;

/// <summary>h[t] = a[t] h[t - 1] + b[t] along one dimension (or from the end, with h[t + 1]). One rounding for each step, so that a
/// recurrence may be cut anywhere and goes on with the same bits.</summary>
internal static unsafe class RecurrenceLoop
{
    /// <summary>All of one shape; float32 or float64.</summary>
    public static void Run(Tensor a, Tensor b, Tensor h, int axis, bool reverse)
    {
        if (h.Device.IsMeta || h.Count == 0)
        {
            return;
        }
        long n = h.Shape[axis];
        Shape lines = h.Shape.With(axis, 1);
        Tensor First(Tensor t) => t.AsView(lines, t.Strides, t.Body.Offset + (reverse ? (n - 1) * t.Strides[axis] : 0));
        long sign = reverse ? -1 : 1;
        long sa = sign * a.Strides[axis], sb = sign * b.Strides[axis], sh = sign * h.Strides[axis];
        void* pa = a.Body.Storage!.Pointer, pb = b.Body.Storage!.Pointer, ph = h.Body.Storage!.Pointer;
        if (h.DType == DType.Float32)
        {
            var body = new Floats { A = (float*)pa, B = (float*)pb, H = (float*)ph, N = n, StepA = sa, StepB = sb, StepH = sh };
            StridedLoop.RunWeighted(lines, body, n, h.Pool, First(a), First(b), First(h));
        }
        else
        {
            var body = new Doubles { A = (double*)pa, B = (double*)pb, H = (double*)ph, N = n, StepA = sa, StepB = sb, StepH = sh };
            StridedLoop.RunWeighted(lines, body, n, h.Pool, First(a), First(b), First(h));
        }
    }

    private struct Floats : IInnerLoop
    {
        public float* A, B, H;
        public long N, StepA, StepB, StepH;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                float* a = A + offset[0] + i * stride[0], b = B + offset[1] + i * stride[1], h = H + offset[2] + i * stride[2];
                float value = b[0];
                h[0] = value;
                for (long k = 1; k < N; k++)
                {
                    value = MathF.FusedMultiplyAdd(a[k * StepA], value, b[k * StepB]);
                    h[k * StepH] = value;
                }
            }
        }
    }

    private struct Doubles : IInnerLoop
    {
        public double* A, B, H;
        public long N, StepA, StepB, StepH;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                double* a = A + offset[0] + i * stride[0], b = B + offset[1] + i * stride[1], h = H + offset[2] + i * stride[2];
                double value = b[0];
                h[0] = value;
                for (long k = 1; k < N; k++)
                {
                    value = a[k * StepA] * value + b[k * StepB];
                    h[k * StepH] = value;
                }
            }
        }
    }
}
