using Banyan.Quant;

namespace Banyan.Cpu;

/// <summary>Rows of a matrix in blocks as float32.</summary>
internal static unsafe class BlockRows
{
    /// <summary>Adjacent rows of <paramref name="k"/> numbers.</summary>
    public static void Dequantize(BlockFormat format, byte* blocks, long k, long rows, float* to, ComputePool pool) =>
        pool.For(rows, Math.Max(1, 8192 / k), new Body { Format = format, Blocks = blocks, K = (int)k, To = to });

    /// <summary>The rows that <paramref name="ids"/> name.</summary>
    public static void Gather(Tensor table, Tensor ids, Tensor y)
    {
        if (!y.Device.IsMeta)
        {
            long k = table.Shape[1];
            y.Pool.For(ids.Count, Math.Max(1, 8192 / k), new Body { Format = table.DType.Format!, Blocks = Pointer(table), K = (int)k, To = (float*)Pointer(y), Ids = (long*)Pointer(ids) });
        }
        GC.KeepAlive(table);
    }

    /// <summary>Adjacent rows of <paramref name="k"/> numbers as blocks.</summary>
    public static void Quantize(BlockFormat format, float* from, long k, long rows, byte* to, ComputePool pool) =>
        pool.For(rows, Math.Max(1, 8192 / k), new QuantizeBody { Format = format, From = from, K = (int)k, To = to });

    /// <summary>y = x where one of them is in blocks: the same blocks, the numbers of blocks, or the blocks of numbers. Both contiguous, of one shape.</summary>
    public static void Copy(Tensor x, Tensor y)
    {
        DType blocks = x.DType.Format is not null ? x.DType : y.DType;
        if (x.Shape != y.Shape || x.Rank == 0 || x.Shape[-1] % blocks.BlockElements != 0 || (x.DType.Format is not null && !x.IsContiguous) || (y.DType.Format is not null && !y.IsContiguous))
        {
            throw new ArgumentException($"{x} cannot be copied to {y}: tensors in blocks of {blocks.BlockElements} {blocks} numbers have whole rows, in row-major order");
        }
        if (x.DType == y.DType)
        {
            Buffer.MemoryCopy(Pointer(x), Pointer(y), y.DType.ByteCount(y.Count), x.DType.ByteCount(x.Count));
            return;
        }
        Tensor wideX = x.DType.Format is null ? Elementwise.Convert(x, DType.Float32).Detach().Contiguous() : x;
        Tensor wideY = y.DType.Format is not null || (y.DType == DType.Float32 && y.IsContiguous) ? y : Tensor.Allocate(y, y.Shape, DType.Float32);
        long k = x.Shape[-1], rows = x.Count / Math.Max(k, 1);
        if (x.DType.Format is { } from)
        {
            // Blocks of one format become those of another by way of numbers.
            Tensor numbers = y.DType.Format is null ? wideY : Tensor.Allocate(y, y.Shape, DType.Float32);
            Dequantize(from, Pointer(x), k, rows, (float*)Pointer(numbers), y.Pool);
            wideX = numbers;
        }
        if (y.DType.Format is { } to)
        {
            Quantize(to, (float*)Pointer(wideX), k, rows, Pointer(y), y.Pool);
        }
        else if (!ReferenceEquals(wideY, y))
        {
            CopyLoop.Run(wideY, y);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    private static byte* Pointer(Tensor t) => t.Body.Storage!.Pointer + t.DType.ByteCount(t.Body.Offset);

    private struct QuantizeBody : IParallelBody
    {
        public BlockFormat Format;
        public float* From;
        public int K;
        public byte* To;

        public readonly void Run(long begin, long end)
        {
            int bytes = (int)Format.DType.ByteCount(K);
            for (long r = begin; r < end; r++)
            {
                Format.Quantize(new ReadOnlySpan<float>(From + r * K, K), new Span<byte>(To + r * bytes, bytes));
            }
        }
    }

    private struct Body : IParallelBody
    {
        public BlockFormat Format;
        public byte* Blocks;
        public int K;
        public float* To;
        public long* Ids;

        public readonly void Run(long begin, long end)
        {
            int bytes = (int)Format.DType.ByteCount(K);
            for (long r = begin; r < end; r++)
            {
                Format.Dequantize(new ReadOnlySpan<byte>(Blocks + (Ids == null ? r : Ids[r]) * bytes, bytes), new Span<float>(To + r * K, K));
            }
        }
    }
}
