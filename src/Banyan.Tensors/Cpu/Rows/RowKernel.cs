namespace Banyan.Cpu;

/// <summary>A kernel over rows: <see cref="Rows{S,V}"/> computes the rows [begin, end), each by itself.</summary>
internal interface IRowKernel
{
    void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct;
}

/// <summary>Runs an <see cref="IRowKernel"/> on the pool's threads at the process's vector width.</summary>
internal static class RowKernel
{
    // About this many elements are worth handing to another thread.
    private const long PieceElements = 8 * 1024;

    public static void Run<K>(K kernel, long rows, long rowLength, ComputePool pool) where K : struct, IRowKernel =>
        pool.For(rows, Math.Max(1, PieceElements / Math.Max(rowLength, 1)), new Body<K> { Kernel = kernel });

    private struct Body<K> : IParallelBody where K : struct, IRowKernel
    {
        public K Kernel;

        public void Run(long begin, long end)
        {
            var piece = new Piece<K> { Kernel = Kernel, Begin = begin, End = end };
            Isa.Run(ref piece);
        }
    }

    private struct Piece<K> : IKernel where K : struct, IRowKernel
    {
        public K Kernel;
        public long Begin, End;

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct => Kernel.Rows<S, V>(Begin, End);
    }
}
