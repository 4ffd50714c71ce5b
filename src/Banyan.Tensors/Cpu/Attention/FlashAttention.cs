namespace Banyan.Cpu;

/// <summary>Attention in tiles: memory grows with the length, not with its square. Every result is the same for any number of threads.</summary>
internal static unsafe class FlashAttention
{
    /// <summary>Writes o (and the row statistics, where wanted).</summary>
    public static void Forward(AttentionArgs<float>* args, AttentionWorkspace workspace, ComputePool pool)
    {
        var call = new ForwardCall { Args = args, Workspace = workspace, Pool = pool };
        Isa.Run(ref call);
    }

    private struct ForwardCall : IKernel
    {
        public AttentionArgs<float>* Args;
        public AttentionWorkspace Workspace;
        public ComputePool Pool;

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            ScratchCursor measure = new(null);
            _ = new ForwardScratch(Args, ref measure);
            Workspace.Reserve(Pool.Threads, measure.Bytes, (Args->SegmentCount + 1) * sizeof(long));
            long* starts = (long*)Workspace.Shared;
            long tiles = AttentionForward<S, V>.CountTiles(Args, starts);
            Pool.For(tiles, 1, new AttentionForward<S, V>(Args, Workspace, starts));
        }
    }

    /// <summary>Writes dq, dk, dv and adds to the gradients of the parameters, from the row statistics of the forward pass.</summary>
    public static void Backward(AttentionArgs<float>* args, AttentionGradients<float>* gradients, AttentionWorkspace workspace, ComputePool pool)
    {
        var call = new BackwardCall { Args = args, Gradients = gradients, Workspace = workspace, Pool = pool };
        Isa.Run(ref call);
    }

    private struct BackwardCall : IKernel
    {
        public AttentionArgs<float>* Args;
        public AttentionGradients<float>* Gradients;
        public AttentionWorkspace Workspace;
        public ComputePool Pool;

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            BackwardPlan plan = Reserve();
            for (int i = 0; i < Args->SegmentCount; i++)
            {
                Pool.For(Args->Segments[i].QLength, 16, new BackwardPreparation(Args, Gradients, i, plan.Delta));
            }
            Pool.For(plan.Items, 1, new AttentionBackward<S, V>(Args, Gradients, Workspace, plan));
            Parameters<S, V>(plan);
        }

        private readonly BackwardPlan Reserve()
        {
            ScratchCursor slot = new(null), shared = new(null);
            _ = new BackwardScratch(Args, ref slot);
            bool wantsTable = Gradients->DRelativeBias != null;
            _ = new BackwardPlan(Args, wantsTable, ref shared);
            Workspace.Reserve(Pool.Threads, slot.Bytes, shared.Bytes);
            shared = new ScratchCursor(Workspace.Shared);
            BackwardPlan plan = new(Args, wantsTable, ref shared);
            plan.Fill();
            return plan;
        }

        private readonly void Parameters<S, V>(BackwardPlan plan) where S : struct, ISimd<V> where V : struct
        {
            if (Gradients->DSinks != null)
            {
                Pool.For(Args->Heads, 1, new SinkGradient(Args, Gradients->DSinks, plan.Delta));
            }
            if (Gradients->DBias != null)
            {
                long queries = BiasGradient<S, V>.QueriesPerItem(Args), most = 0;
                for (int i = 0; i < Args->SegmentCount; i++)
                {
                    most = Math.Max(most, Args->Segments[i].QLength);
                }
                Pool.For(most / queries + (most % queries == 0 ? 0 : 1), 1, new BiasGradient<S, V>(Args, Gradients, Workspace, plan, isRelative: false));
            }
            if (Gradients->DRelativeBias != null)
            {
                long entries = (long)Args->Heads * (2 * Args->RelativeSpan + 1);
                new Span<double>(plan.RelativeTable, checked((int)entries)).Clear();
                Pool.For(Args->KvHeads, 1, new BiasGradient<S, V>(Args, Gradients, Workspace, plan, isRelative: true));
                for (long i = 0; i < entries; i++)
                {
                    Gradients->DRelativeBias[i] += (float)plan.RelativeTable[i];
                }
            }
        }
    }
}
