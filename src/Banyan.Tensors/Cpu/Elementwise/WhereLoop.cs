namespace Banyan.Cpu;

/// <summary>y = condition ? a : b, for elements of any size.</summary>
internal static unsafe class WhereLoop
{
    public static void Run(Tensor condition, Tensor a, Tensor b, Tensor y)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        switch (y.DType.BlockBytes)
        {
            case 1: Run<byte>(condition, a, b, y); break;
            case 2: Run<ushort>(condition, a, b, y); break;
            case 4: Run<uint>(condition, a, b, y); break;
            default: Run<ulong>(condition, a, b, y); break;
        }
    }

    private static void Run<T>(Tensor c, Tensor a, Tensor b, Tensor y) where T : unmanaged =>
        StridedLoop.Run(y.Shape, new Body<T>
        {
            C = c.Body.Storage!.Pointer,
            A = (T*)a.Body.Storage!.Pointer,
            B = (T*)b.Body.Storage!.Pointer,
            Y = (T*)y.Body.Storage!.Pointer,
        }, y.Pool, c, a, b, y);

    private struct Body<T> : IInnerLoop where T : unmanaged
    {
        public byte* C;
        public T* A, B, Y;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                Y[offset[3] + i * stride[3]] = C[offset[0] + i * stride[0]] != 0 ? A[offset[1] + i * stride[1]] : B[offset[2] + i * stride[2]];
            }
        }
    }
}
