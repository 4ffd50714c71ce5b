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
}
