namespace Banyan.Cpu;

/// <summary>The places of the true elements of a mask, in row-major order.</summary>
internal static unsafe class NonzeroLoop
{
    /// <summary>How many elements of a dense bool tensor are true.</summary>
    public static long Count(Tensor mask)
    {
        byte* m = mask.Body.Storage!.Pointer + mask.Body.Offset;
        long count = 0;
        for (long i = 0, n = mask.Count; i < n; i++)
        {
            count += m[i] != 0 ? 1 : 0;
        }
        GC.KeepAlive(mask);
        return count;
    }

    /// <summary>The flat places of the true elements of a dense bool tensor into a dense int64 tensor of their number.</summary>
    public static void Run(Tensor mask, Tensor places)
    {
        byte* m = mask.Body.Storage!.Pointer + mask.Body.Offset;
        long* y = (long*)places.Body.Storage!.Pointer + places.Body.Offset;
        for (long i = 0, n = mask.Count; i < n; i++)
        {
            if (m[i] != 0)
            {
                *y++ = i;
            }
        }
        GC.KeepAlive(mask);
        GC.KeepAlive(places);
    }
}
