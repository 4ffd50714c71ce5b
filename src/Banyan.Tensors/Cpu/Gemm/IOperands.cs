namespace Banyan.Cpu;

/// <summary>How a product takes its operands: how they are packed, and which inner loop reads them.</summary>
internal unsafe interface IOperands
{
    /// <summary>True where the operands are never read in place.</summary>
    static abstract bool ArePacked { get; }

    /// <summary>Values of k in one step of the inner loop.</summary>
    static abstract int Elements { get; }

    /// <summary>Steps of the inner loop for k values; each takes one float32's room of a packed line.</summary>
    static abstract long Steps(long k);

    /// <summary>Packs tiles of A, see <see cref="Packing.Rows"/>.</summary>
    static abstract void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct;

    /// <summary>Packs panels of B, see <see cref="Packing.Panels"/>.</summary>
    static abstract void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct;

    /// <summary>A tile of two whole vectors of columns, see <see cref="MicroKernel.Run"/>; <paramref name="steps"/> instead of k.</summary>
    static abstract void Multiply<S, V, L>(long rows, long steps, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow) where S : struct, ISimd<V> where V : struct where L : struct, ILayout;
}
