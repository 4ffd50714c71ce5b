namespace Banyan.Cpu;

/// <summary>Fills float32 tensors with random numbers. Element i uses positions 2i and 2i + 1 of its stream: the same for any thread count.</summary>
internal static unsafe class RandomFill
{
    private const long Piece = 16 * 1024;

    /// <summary>A normal distribution of mean 0.</summary>
    public static void Normal(Tensor y, double std, ulong seed, uint stream) => Run(y, new Body { Scale = (float)std, Seed = seed, Stream = stream, IsNormal = true });

    /// <summary>A uniform distribution over (-bound, bound).</summary>
    public static void Uniform(Tensor y, double bound, ulong seed, uint stream) => Run(y, new Body { Scale = (float)bound, Seed = seed, Stream = stream });

    private static void Run(Tensor y, Body body)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        body.Y = (float*)y.Body.Storage!.Pointer + y.Body.Offset;
        y.Pool.For(y.Count, Piece, body);
        y.MarkChanged();
        GC.KeepAlive(y);
    }

    /// <summary>y[i] = 0 with probability p, else 1 / (1 - p).</summary>
    public static void Mask(Tensor y, double p, ulong seed, uint stream, ulong sample)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        var body = new MaskBody
        {
            Y = (float*)y.Body.Storage!.Pointer + y.Body.Offset, Scale = (float)(1 / (1 - p)), Dropped = (uint)(p * 4294967296.0), Seed = seed, Stream = stream, Sample = sample,
        };
        y.Pool.For(y.Count, Piece, body);
        y.MarkChanged();
        GC.KeepAlive(y);
    }

    private struct MaskBody : IParallelBody
    {
        public float* Y;
        public float Scale;
        public uint Dropped, Stream;
        public ulong Seed, Sample;

        public readonly void Run(long begin, long end)
        {
            var random = new CounterRandom(Seed, Stream, Sample, begin);
            for (long i = begin; i < end; i++)
            {
                Y[i] = random.NextUInt() < Dropped ? 0 : Scale;
            }
        }
    }

    private struct Body : IParallelBody
    {
        public float* Y;
        public float Scale;
        public ulong Seed;
        public uint Stream;
        public bool IsNormal;

        public void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                var random = new CounterRandom(Seed, Stream, 0, 2 * i);
                Y[i] = Scale * (IsNormal ? random.NextNormal() : 2 * random.NextFloat() - 1);
            }
        }
    }
}
