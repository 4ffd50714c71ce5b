using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Banyan.Cpu.Emit;

namespace Banyan.Cpu;

/// <summary>Operands rounded to bfloat16, two values of k side by side in 32 bits, multiplied by the emitted <see cref="Bf16Tile"/>.</summary>
internal readonly unsafe struct Bf16Operands : IOperands
{
    public static bool ArePacked => true;

    public static int Elements => 2;

    public static long Steps(long k) => (k + 1) / 2;

    public static void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        PairPacking<Pairs>.Rows<S, V>(a, aRow, aCol, rows, k, to);

    public static void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        PairPacking<Pairs>.Panels<S, V>(b, bRow, bCol, cols, k, to);

    public static void Multiply<S, V, L>(long rows, long steps, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow) where S : struct, ISimd<V> where V : struct where L : struct, ILayout
    {
        var args = new Bf16TileArgs
        {
            Pairs = steps, A = (uint*)a, B = (uint*)b, From = from, FromRow = fromRow * sizeof(float), To = to, ToRow = toRow * sizeof(float),
        };
        Bf16Tile.Run((int)rows, &args);
    }

    private readonly struct Pairs : IPairFormat
    {
        public static int Lines => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<uint> even, Vector512<uint> odd, float* to, long line) => ((even >> 16) | odd).Store((uint*)to);

        public static void Store(uint even, uint odd, float* to, long line) => *(uint*)to = (even >> 16) | odd;
    }
}

/// <summary>
/// The same product by the float32 kernels, where the processor has no bfloat16 or emitted code is switched off: rounded values, the odd one of each
/// pair first. The same bits.
/// </summary>
internal readonly unsafe struct Bf16Reference : IOperands
{
    public static bool ArePacked => true;

    public static int Elements => 1;

    public static long Steps(long k) => (k + 1) / 2 * 2;

    public static void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        PairPacking<Swapped>.Rows<S, V>(a, aRow, aCol, rows, k, to);

    public static void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        PairPacking<Swapped>.Panels<S, V>(b, bRow, bCol, cols, k, to);

    public static void Multiply<S, V, L>(long rows, long steps, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow) where S : struct, ISimd<V> where V : struct where L : struct, ILayout =>
        Float32Operands.Multiply<S, V, L>(rows, steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow);

    private readonly struct Swapped : IPairFormat
    {
        public static int Lines => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<uint> even, Vector512<uint> odd, float* to, long line)
        {
            odd.Store((uint*)to);
            even.Store((uint*)(to + line));
        }

        public static void Store(uint even, uint odd, float* to, long line) => (*(uint*)to, *(uint*)(to + line)) = (odd, even);
    }
}
