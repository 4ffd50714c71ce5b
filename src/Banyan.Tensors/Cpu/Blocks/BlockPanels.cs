using System.Runtime.Intrinsics;
using Banyan.Quant;

namespace Banyan.Cpu;

/// <summary>
/// A matrix [N, K] in blocks, its codes and scales copied once into the order in which the kernels meet them: panels of 16 rows (which are the lanes of a vector), as
/// <see cref="PanelKernel"/> lays them out. About as many bytes as the file has.
/// </summary>
internal sealed unsafe class BlockPanels : IDisposable
{
    /// <summary>Panels that a tile takes together.</summary>
    public const int Pair = 2;

    private const int Lanes = PanelKernel.Lanes;

    private readonly NativeBuffer _buffer;
    private readonly PanelShape _shape;
    private readonly long _panelBytes;
    private readonly Vector128<byte> _levels;

    private BlockPanels(PanelShape shape, long n, long k)
    {
        (_shape, N, K) = (shape, n, k);
        _panelBytes = shape.Kernel.PanelBytes(k);
        _levels = shape.Levels is { } table ? Vector128.Create<sbyte>(table).AsByte() + Vector128.Create((byte)128) : default;
        Panels = (n + Lanes * Pair - 1) / (Lanes * Pair) * Pair;
        _buffer = new NativeBuffer(checked(Panels * _panelBytes));
    }

    /// <summary>Rows of the matrix: outputs.</summary>
    public long N { get; }

    /// <summary>Columns of the matrix: inputs.</summary>
    public long K { get; }

    /// <summary>Panels, an even number; those past N are zero.</summary>
    public long Panels { get; }

    /// <summary>Code of weight 0.</summary>
    public int Zero => _shape.Zero;

    /// <summary>Where everything lies in an unpacked group.</summary>
    public UnpackedGroup Layout => _shape.Kernel.Layout;

    /// <summary>Copies a matrix. Null where a step is not finite: float32 shows then what comes of it.</summary>
    /// <param name="format">Its format.</param>
    /// <param name="blocks">N rows of K / block blocks.</param>
    /// <param name="n">Rows.</param>
    /// <param name="k">Columns, whole blocks.</param>
    /// <param name="pool">The threads.</param>
    public static BlockPanels? Pack(BlockFormat format, byte* blocks, long n, long k, ComputePool pool)
    {
        var panels = new BlockPanels(format.Panels!, n, k);
        int bad = 0;
        pool.For(panels.Panels, 1, new PackBody { To = panels, Format = format, Blocks = blocks, RowBytes = format.DType.ByteCount(k), Bad = &bad });
        if (bad == 0)
        {
            return panels;
        }
        panels.Dispose();
        return null;
    }

    /// <summary>Writes groups of 32 numbers of k of a pair of panels as <see cref="UnpackedGroup"/>s.</summary>
    /// <param name="pair">Index of the pair.</param>
    /// <param name="first">The first group, at the beginning of a block.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">Receives them.</param>
    public void Unpack(long pair, long first, long count, byte* to)
    {
        _shape.Kernel.Unpack(Panel(Pair * pair), first, count, to, _levels);
        _shape.Kernel.Unpack(Panel(Pair * pair + 1), first, count, to + 64, _levels);
    }

    /// <summary>Multiplies one row by a pair of panels: 32 results.</summary>
    public void Row(long pair, ActivationBlock* a, float* to)
    {
        _shape.Kernel.Row(Panel(Pair * pair), K / 32, a, _levels, to);
        _shape.Kernel.Row(Panel(Pair * pair + 1), K / 32, a, _levels, to + Lanes);
    }

    public void Dispose() => _buffer.Dispose();

    private byte* Panel(long index) => (byte*)_buffer.Floats + index * _panelBytes;

    private struct PackBody : IParallelBody
    {
        public BlockPanels To;
        public BlockFormat Format;
        public byte* Blocks;
        public long RowBytes;
        public int* Bad;

        public readonly void Run(long begin, long end)
        {
            for (long p = begin; p < end; p++)
            {
                int rows = (int)Math.Clamp(To.N - p * Lanes, 0, Lanes);
                if (!To._shape.Kernel.Pack(Format, Blocks + p * Lanes * RowBytes, RowBytes, rows, To.K, To.Panel(p)))
                {
                    *Bad = 1;
                }
            }
        }
    }
}

/// <summary>
/// 32 numbers of k of 32 rows, as the kernels read them: codes (8 lines of 32 rows with 4 numbers each), then lines of 32 float32 scales, then as many lines of offsets where there are.
/// </summary>
/// <param name="Group">Numbers of k that share a scale: 16 or 32.</param>
/// <param name="HasOffsets">Whether there are offsets.</param>
/// <param name="Largest">The largest code.</param>
internal readonly record struct UnpackedGroup(int Group, bool HasOffsets, int Largest)
{
    /// <summary>Bytes of the codes.</summary>
    public const int Codes = 8 * 128;

    /// <summary>Lines of scales: for 32 numbers each, or for 16.</summary>
    public int Scales => 32 / Group;

    /// <summary>Bytes of everything.</summary>
    public int Bytes => Codes + 128 * Scales * (HasOffsets ? 2 : 1);
}
