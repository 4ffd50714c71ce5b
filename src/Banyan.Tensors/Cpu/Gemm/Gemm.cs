namespace Banyan.Cpu;

/// <summary>The float32 matrix product of this library. <see cref="GemmArgs"/> states the promise on its bits.</summary>
internal static unsafe class Gemm
{
    /// <summary>Computes a product without activation.</summary>
    public static void Run(in GemmArgs args, ComputePool pool) => Run<Identity>(args, pool);

    /// <summary>Computes a product.</summary>
    public static void Run<TActivation>(in GemmArgs args, ComputePool pool) where TActivation : struct, IUnary =>
        Run<TActivation>(args, pool, GemmBlocking.Default);

    /// <summary>Computes a product cut in a given way; the result is the same for each.</summary>
    public static void Run<TActivation>(in GemmArgs args, ComputePool pool, in GemmBlocking blocking) where TActivation : struct, IUnary
    {
        if (args.M <= 0 || args.N <= 0)
        {
            return;
        }
        var kernel = new Kernel<TActivation> { Args = args, Pool = pool, Blocking = blocking };
        Isa.Run(ref kernel);
    }

    /// <summary>
    /// Computes <paramref name="batch"/> products whose operands lie <paramref name="aBatch"/>, <paramref name="bBatch"/> and
    /// <paramref name="cBatch"/> elements apart (0: shared; the residual moves with C).
    /// </summary>
    public static void RunBatched(in GemmArgs args, long batch, long aBatch, long bBatch, long cBatch, ComputePool pool)
    {
        // Few large products share their tiles between the threads; many small ones are handed out whole.
        bool large = (double)args.M * args.N * args.K >= 4e6 && batch < 8 * pool.Threads;
        fixed (GemmArgs* p = &args)
        {
            var body = new BatchBody { Args = p, ABatch = aBatch, BBatch = bBatch, CBatch = cBatch, Pool = pool };
            if (large || batch <= 1)
            {
                body.Run(0, batch);
            }
            else
            {
                double work = Math.Max(1, (double)args.M * args.N * args.K);
                pool.For(batch, (long)Math.Clamp(50_000 / work, 1, batch), body);
            }
        }
    }

    /// <summary>Packs the right operand B[k, n] at <c>b[k * bRow + n * bCol]</c>; the caller owns the result.</summary>
    public static PackedMatrix Pack(long k, long n, float* b, long bRow, long bCol, ComputePool pool)
    {
        var packed = new PackedMatrix(k, n);
        var kernel = new PackKernel { K = k, N = n, B = b, BRow = bRow, BCol = bCol, To = packed.Pointer, Pool = pool };
        Isa.Run(ref kernel);
        return packed;
    }

    /// <summary>The same product with B taken from its packed copy, which must outlive the call.</summary>
    public static GemmArgs WithPackedB(in GemmArgs args, PackedMatrix b)
    {
        if (args.InBf16)
        {
            throw new ArgumentException("gemm: a packed matrix is float32, the product takes bfloat16 operands", nameof(args));
        }
        if (b.K != args.K || b.N != args.N)
        {
            throw new ArgumentException($"gemm: the packed matrix is {b.K} x {b.N}, the product needs B of {args.K} x {args.N}.", nameof(b));
        }
        GemmArgs packed = args;
        packed.B = b.Pointer;
        packed.BIsPacked = true;
        return packed;
    }

    private struct Kernel<TActivation> : IKernel where TActivation : struct, IUnary
    {
        public GemmArgs Args;
        public ComputePool Pool;
        public GemmBlocking Blocking;

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            if (!Args.InBf16)
            {
                GemmBlocked<S, V, TActivation, Float32Operands>.Run(Args, Blocking, Pool);
            }
            else if (Emit.Bf16Tile.IsAvailable)
            {
                // A step takes half the time, so what it reads from the second cache weighs double: shorter panels leave it more room in the first.
                GemmBlocked<S, V, TActivation, Bf16Operands>.Run(Args, Blocking with { Depth = Math.Min(Blocking.Depth, 512) }, Pool);
            }
            else
            {
                GemmBlocked<S, V, TActivation, Bf16Reference>.Run(Args, Blocking, Pool);
            }
        }
    }

    private struct BatchBody : IParallelBody
    {
        public GemmArgs* Args;
        public long ABatch, BBatch, CBatch;
        public ComputePool Pool;

        public readonly void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                GemmArgs one = *Args;
                one.A += i * ABatch;
                one.B += i * BBatch;
                one.C += i * CBatch;
                one.Residual = one.Residual == null ? null : one.Residual + i * CBatch;
                Gemm.Run(one, Pool);
            }
        }
    }

    private struct PackKernel : IKernel
    {
        public long K, N, BRow, BCol;
        public float* B, To;
        public ComputePool Pool;

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            long columns = GemmBlocking.TileColumns(S.Width);
            Pool.For((N + columns - 1) / columns, 4, new PackPanels<S, V> { Job = this });
        }
    }

    private struct PackPanels<S, V> : IParallelBody where S : struct, ISimd<V> where V : struct
    {
        public PackKernel Job;

        public readonly void Run(long begin, long end)
        {
            long columns = GemmBlocking.TileColumns(S.Width), n = begin * columns;
            Packing.Panels<S, V>(Job.B + n * Job.BCol, Job.BRow, Job.BCol, Math.Min(end * columns, Job.N) - n, Job.K, Job.To + n * Job.K);
        }
    }
}
