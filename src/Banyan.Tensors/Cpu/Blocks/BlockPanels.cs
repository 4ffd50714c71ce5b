using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Banyan.Quant;

namespace Banyan.Cpu;

/// <summary>
/// A matrix [N, K] in blocks, its codes and scales copied once into the order in which <see cref="Emit.Int8Tile"/> meets them: panels of 16 rows (which are
/// the 16 lanes of a vector), in each for one block after another the steps of the 16 rows, then for every 32 numbers of k the codes and scales. About as many bytes as the
/// file has.
/// </summary>
internal sealed unsafe class BlockPanels : IDisposable
{
    /// <summary>Rows of a panel, and panels that a tile takes together.</summary>
    public const int Lanes = 16, Pair = 2;

    private const int Line = 64 * Pair;

    private readonly NativeBuffer _buffer;
    private readonly PanelShape _shape;
    private readonly long _panelBytes, _unitBytes, _headBytes, _groupBytes, _codeBytes;

    private BlockPanels(PanelShape shape, long n, long k)
    {
        (_shape, N, K) = (shape, n, k);
        _codeBytes = 64 * shape.Bits;
        int scales = shape.SubScales > 0 ? 32 / shape.SubScales * Lanes : 0, step = Lanes * (shape.WideSteps ? sizeof(float) : 2);
        _headBytes = step + (shape.HasOffsets ? Lanes * 2 : 0);
        _groupBytes = _codeBytes + scales * (shape.HasOffsets ? 2 : 1);
        _unitBytes = _headBytes + shape.Unit / 32 * _groupBytes;
        _panelBytes = k / shape.Unit * _unitBytes;
        Panels = (n + Lanes * Pair - 1) / (Lanes * Pair) * Pair;
        _buffer = new NativeBuffer(checked(Panels * _panelBytes));
    }

    /// <summary>Rows of the matrix: outputs.</summary>
    public long N { get; }

    /// <summary>Columns of the matrix: inputs.</summary>
    public long K { get; }

    /// <summary>Panels, an even number; those past N are zero.</summary>
    public long Panels { get; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _buffer.Bytes;

    /// <summary>Code of weight 0.</summary>
    public int Zero => _shape.Zero;

    /// <summary>Where everything lies in an unpacked group.</summary>
    public UnpackedGroup Layout => new(_shape.Group, _shape.HasOffsets, _shape.Largest);

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

    public void Dispose() => _buffer.Dispose();

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
                if (!To.PackPanel(Format, Blocks + p * Lanes * RowBytes, RowBytes, rows, (byte*)To._buffer.Floats + p * To._panelBytes))
                {
                    *Bad = 1;
                }
            }
        }
    }

    private bool PackPanel(BlockFormat format, byte* rows, long rowBytes, int count, byte* panel)
    {
        BlockCodes codes;
        bool finite = true;
        for (int lane = 0; lane < count; lane++)
        {
            byte* block = rows + lane * rowBytes, unit = panel;
            for (long u = 0; u < K / _shape.Unit; u++, block += format.BlockBytes, unit += _unitBytes)
            {
                format.Codes(block, &codes);
                finite &= PutHead(&codes, unit, lane);
                for (int g = 0; g < _shape.Unit / 32; g++)
                {
                    PutGroup(&codes, g, unit + _headBytes + g * _groupBytes, lane);
                }
            }
        }
        return finite;
    }

    private bool PutHead(BlockCodes* codes, byte* head, int lane)
    {
        if (_shape.WideSteps)
        {
            ((float*)head)[lane] = codes->WideStep;
            return float.IsFinite(codes->WideStep);
        }
        const int Exponent = 0x7C00;
        ((ushort*)head)[lane] = codes->Step;
        if (_shape.HasOffsets)
        {
            ((ushort*)head)[Lanes + lane] = codes->Offset;
        }
        return (codes->Step & Exponent) != Exponent && (!_shape.HasOffsets || (codes->Offset & Exponent) != Exponent);
    }

    // Four numbers of k are 32 bits of a lane. Of 4-bit codes the numbers 16 ahead lie above; the high bits of 6-bit codes lie behind, four groups of four in a word.
    private void PutGroup(BlockCodes* codes, int g, byte* group, int lane)
    {
        uint* from = (uint*)(codes->Codes + 32 * g), to = (uint*)group + lane;
        if (_shape.Bits == 8)
        {
            for (int i = 0; i < 8; i++)
            {
                to[i * Lanes] = from[i];
            }
        }
        else
        {
            for (int i = 0; i < 4; i++)
            {
                to[i * Lanes] = (from[i] & 0x0F0F0F0F) | (from[i + 4] & 0x0F0F0F0F) << 4;
            }
        }
        for (int i = 0; _shape.Bits == 6 && i < 2; i++)
        {
            uint* high = from + 4 * i;
            to[(4 + i) * Lanes] = (high[0] >> 4 & 0x03030303) | (high[1] >> 4 & 0x03030303) << 2 | (high[2] >> 4 & 0x03030303) << 4 | (high[3] >> 4 & 0x03030303) << 6;
        }
        int scales = _shape.SubScales > 0 ? 32 / _shape.SubScales : 0;
        for (int i = 0; i < scales; i++)
        {
            group[_codeBytes + i * Lanes + lane] = (byte)codes->Scales[g * scales + i];
            if (_shape.HasOffsets)
            {
                group[_codeBytes + (scales + i) * Lanes + lane] = codes->Minima[g * scales + i];
            }
        }
    }

    /// <summary>Writes groups of 32 numbers of k of a pair of panels as <see cref="UnpackedGroup"/>s.</summary>
    /// <param name="pair">Index of the pair.</param>
    /// <param name="first">The first group, at the beginning of a block.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">Receives them.</param>
    public void Unpack(long pair, long first, long count, byte* to)
    {
        UnpackedGroup layout = Layout;
        int perUnit = _shape.Unit / 32;
        Vector128<byte> levels = _shape.Levels is { } table ? Vector128.Create<sbyte>(table).AsByte() + Vector128.Create((byte)128) : default;
        for (int c = 0; c < Pair; c++)
        {
            byte* unit = (byte*)_buffer.Floats + (pair * Pair + c) * _panelBytes + first / perUnit * _unitBytes;
            for (long g = 0; g < count; unit += _unitBytes)
            {
                byte* group = unit + _headBytes;
                for (int i = 0; i < perUnit && g < count; i++, g++, group += _groupBytes)
                {
                    byte* record = to + g * layout.Bytes + 64 * c;
                    Codes(group, record, levels);
                    Scales(unit, group + _codeBytes, 0, (float*)(record + UnpackedGroup.Codes), layout);
                    Scales(unit, group + _codeBytes, 8, (float*)(record + UnpackedGroup.Codes), layout);
                }
            }
        }
    }

    private void Codes(byte* group, byte* to, Vector128<byte> levels)
    {
        if (_shape.Bits == 8)
        {
            for (int i = 0; i < 8; i++)
            {
                Buffer.MemoryCopy(group + 64 * i, to + Line * i, 64, 64);
            }
            return;
        }
        if (Avx512BW.IsSupported)
        {
            Wide(group, to, levels);
            return;
        }
        for (int half = 0; half < 64; half += 32)
        {
            Vector256<byte> low = Vector256.Create((byte)15), crumbs = default;
            for (int i = 0; i < 4; i++)
            {
                Vector256<byte> v = Vector256.Load(group + 64 * i + half), a = v & low, b = (v.AsUInt16() >> 4).AsByte() & low;
                if (_shape.Levels is not null)
                {
                    (a, b) = (Look(levels, a), Look(levels, b));
                }
                else if (_shape.Bits == 6)
                {
                    crumbs = Vector256.Create((byte)0x30);
                    a |= Shifted(Vector256.Load(group + 256 + half).AsUInt16(), i).AsByte() & crumbs;
                    b |= Shifted(Vector256.Load(group + 320 + half).AsUInt16(), i).AsByte() & crumbs;
                }
                a.Store(to + Line * i + half);
                b.Store(to + Line * (i + 4) + half);
            }
        }
    }

    private void Wide(byte* group, byte* to, Vector128<byte> levels)
    {
        Vector512<byte> low = Vector512.Create((byte)15), table = Vector512.Create(Vector256.Create(levels, levels), Vector256.Create(levels, levels)), crumbs = Vector512.Create((byte)0x30);
        for (int i = 0; i < 4; i++)
        {
            Vector512<byte> v = Vector512.Load(group + 64 * i), a = v & low, b = (v.AsUInt16() >> 4).AsByte() & low;
            if (_shape.Levels is not null)
            {
                (a, b) = (Avx512BW.Shuffle(table, a), Avx512BW.Shuffle(table, b));
            }
            else if (_shape.Bits == 6)
            {
                a |= Shifted(Vector512.Load(group + 256).AsUInt16(), i).AsByte() & crumbs;
                b |= Shifted(Vector512.Load(group + 320).AsUInt16(), i).AsByte() & crumbs;
            }
            a.Store(to + Line * i);
            b.Store(to + Line * (i + 4));
        }
    }

    // Bits 2 i and 2 i + 1 of each byte become bits 4 and 5.
    private static Vector256<ushort> Shifted(Vector256<ushort> v, int i) => i switch { 0 => v << 4, 1 => v << 2, 2 => v, _ => v >> 2 };

    private static Vector512<ushort> Shifted(Vector512<ushort> v, int i) => i switch { 0 => v << 4, 1 => v << 2, 2 => v, _ => v >> 2 };

    private static Vector256<byte> Look(Vector128<byte> table, Vector256<byte> index) => Avx2.IsSupported
        ? Avx2.Shuffle(Vector256.Create(table, table), index)
        : Vector256.Create(Vector128.Shuffle(table, index.GetLower()), Vector128.Shuffle(table, index.GetUpper()));

    // Of eight rows, from the first of them on.
    private void Scales(byte* head, byte* from, int lane, float* to, UnpackedGroup layout)
    {
        const int Columns = Lanes * Pair;
        to += lane;
        Vector256<float> step = _shape.WideSteps ? Vector256.Load((float*)head + lane) : Halves.Load((ushort*)head + lane);
        Vector256<float> offset = _shape.HasOffsets ? Halves.Load((ushort*)head + Lanes + lane) : default;
        if (_shape.SubScales == 0)
        {
            step.Store(to);
            if (_shape.HasOffsets)
            {
                offset.Store(to + Columns);
            }
            return;
        }
        for (int i = 0; i < layout.Scales; i++)
        {
            (step * Vector256.ConvertToSingle(Signed(from + i * Lanes + lane))).Store(to + i * Columns);
            if (_shape.HasOffsets)
            {
                // Minima are below 64: their sign bit is clear.
                (-(offset * Vector256.ConvertToSingle(Signed(from + (layout.Scales + i) * Lanes + lane)))).Store(to + (layout.Scales + i) * Columns);
            }
        }
    }

    private static Vector256<int> Signed(byte* from)
    {
        var v = Vector128.CreateScalarUnsafe(*(long*)from).AsSByte();
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(v);
        }
        (Vector128<int> a, Vector128<int> b) = Vector128.Widen(Vector128.WidenLower(v));
        return Vector256.Create(a, b);
    }
}

/// <summary>
/// 32 numbers of k of 32 rows, as the kernels read them: codes (8 lines of 32 rows with 4 numbers each), then lines of 32 float32 scales, then as many lines of offsets where there are.
/// </summary>
/// <param name="Group">Numbers of k that share a scale: 16 or 32.</param>
/// <param name="HasOffsets">Whether there are offsets.</param>
/// <param name="Largest">The largest code: up to 63, or up to 255 (which the kernels see as signed, around 128).</param>
internal readonly record struct UnpackedGroup(int Group, bool HasOffsets, int Largest)
{
    /// <summary>Bytes of the codes.</summary>
    public const int Codes = 8 * 128;

    /// <summary>Lines of scales: for 32 numbers each, or for 16.</summary>
    public int Scales => 32 / Group;

    /// <summary>Bytes of everything.</summary>
    public int Bytes => Codes + 128 * Scales * (HasOffsets ? 2 : 1);
}
