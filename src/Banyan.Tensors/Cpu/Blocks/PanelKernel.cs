using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Banyan.Quant;

namespace Banyan.Cpu;

/// <summary>Packs panels, and reads them: unpacked for tiles of rows, or straight for a single row.</summary>
/// <remarks>
/// A panel holds for one block after another the steps of its 16 lanes (and their offsets), then for every 32 numbers of k the codes and the scales (and the minima).
/// </remarks>
internal abstract unsafe class PanelKernel
{
    /// <summary>Rows of a panel.</summary>
    public const int Lanes = 16;

    /// <summary>Where everything lies in an unpacked group.</summary>
    public abstract UnpackedGroup Layout { get; }

    /// <summary>Bytes of a panel of K columns.</summary>
    public abstract long PanelBytes(long k);

    /// <summary>Copies up to 16 rows of blocks to a panel. False where a step is not finite.</summary>
    public abstract bool Pack(BlockFormat format, byte* rows, long rowBytes, int count, long k, byte* panel);

    /// <summary>Writes groups of 32 numbers of k as half of <see cref="UnpackedGroup"/>s.</summary>
    public abstract void Unpack(byte* panel, long first, long count, byte* to, Vector128<byte> levels);

    /// <summary>Multiplies one row by a panel: 16 results, the bits of <see cref="Int8Reference"/>.</summary>
    public abstract void Row(byte* panel, long groups, ActivationBlock* a, Vector128<byte> levels, float* to);
}

/// <summary>A form of codes with a form of scales.</summary>
internal sealed unsafe class PanelKernel<TCodes, TScales> : PanelKernel where TCodes : struct, ICodes where TScales : struct, IScales
{
    private static int Step
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TScales.IsWide ? 4 : 2;
    }

    private static int Head
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Lanes * (Step + (TScales.HasOffsets ? 2 : 0));
    }

    private static int Scales
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TScales.Sub == 0 ? 0 : 32 / TScales.Sub;
    }

    private static int Group
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TCodes.Bytes + Lanes * Scales * (TScales.HasOffsets ? 2 : 1);
    }

    private static int Groups
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TScales.Sub == 0 ? 1 : 8;
    }

    private static int Unit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Head + Groups * Group;
    }

    private static int Parts
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TScales.Sub == 16 ? 2 : 1;
    }

    public override UnpackedGroup Layout => new(TScales.Sub == 16 ? 16 : 32, TScales.HasOffsets, TCodes.Largest);

    public override long PanelBytes(long k) => k / (32 * Groups) * Unit;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(BlockFormat format, byte* rows, long rowBytes, int count, long k, byte* panel)
    {
        const int Exponent = 0x7C00;
        BlockCodes codes;
        bool finite = true;
        long units = k / (32 * Groups);
        for (int lane = 0; lane < count; lane++)
        {
            byte* block = rows + lane * rowBytes, unit = panel;
            for (long u = 0; u < units; u++, block += format.BlockBytes, unit += Unit)
            {
                format.Codes(block, &codes);
                if (TScales.IsWide)
                {
                    ((float*)unit)[lane] = codes.WideStep;
                    finite &= float.IsFinite(codes.WideStep);
                }
                else
                {
                    ((ushort*)unit)[lane] = codes.Step;
                    finite &= (codes.Step & Exponent) != Exponent;
                }
                if (TScales.HasOffsets)
                {
                    ((ushort*)(unit + Lanes * Step))[lane] = codes.Offset;
                    finite &= (codes.Offset & Exponent) != Exponent;
                }
                byte* group = unit + Head;
                for (int g = 0; g < Groups; g++, group += Group)
                {
                    TCodes.Put((uint*)(codes.Codes + 32 * g), (uint*)group + lane);
                    for (int i = 0; i < Scales; i++)
                    {
                        group[TCodes.Bytes + i * Lanes + lane] = (byte)codes.Scales[g * Scales + i];
                        if (TScales.HasOffsets)
                        {
                            group[TCodes.Bytes + (Scales + i) * Lanes + lane] = codes.Minima[g * Scales + i];
                        }
                    }
                }
            }
        }
        return finite;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Unpack(byte* panel, long first, long count, byte* to, Vector128<byte> levels)
    {
        const int Line = 128, Columns = 32;
        byte* unit = panel + first / Groups * Unit;
        int bytes = Layout.Bytes;
        for (long g = 0; g < count; unit += Unit)
        {
            byte* group = unit + Head;
            HeadOf low = new(unit, 0), high = new(unit, 8);
            for (int i = 0; i < Groups && g < count; i++, g++, group += Group, to += bytes)
            {
                for (int half = 0; half < 64; half += 32)
                {
                    TCodes.At(group, 0, half, levels).Store(to + half);
                    TCodes.At(group, 1, half, levels).Store(to + half + Line);
                    TCodes.At(group, 2, half, levels).Store(to + half + 2 * Line);
                    TCodes.At(group, 3, half, levels).Store(to + half + 3 * Line);
                    TCodes.At(group, 4, half, levels).Store(to + half + 4 * Line);
                    TCodes.At(group, 5, half, levels).Store(to + half + 5 * Line);
                    TCodes.At(group, 6, half, levels).Store(to + half + 6 * Line);
                    TCodes.At(group, 7, half, levels).Store(to + half + 7 * Line);
                }
                float* scales = (float*)(to + UnpackedGroup.Codes);
                for (int part = 0; part < Parts; part++)
                {
                    low.Scale(group, 0, part).Store(scales + part * Columns);
                    high.Scale(group, 8, part).Store(scales + part * Columns + 8);
                    if (TScales.HasOffsets)
                    {
                        low.Offset(group, 0, part).Store(scales + (Parts + part) * Columns);
                        high.Offset(group, 8, part).Store(scales + (Parts + part) * Columns + 8);
                    }
                }
            }
        }
    }

    // Steps and offsets of eight lanes of a block.
    private readonly ref struct HeadOf
    {
        private readonly Vector256<float> _step, _offset;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public HeadOf(byte* unit, int lane)
        {
            _step = TScales.IsWide ? Vector256.Load((float*)unit + lane) : Halves.Load((ushort*)unit + lane);
            _offset = TScales.HasOffsets ? Halves.Load((ushort*)(unit + Lanes * Step) + lane) : default;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Scale(byte* group, int lane, int part) =>
            TScales.Sub == 0 ? _step : _step * Vector256.ConvertToSingle(Signed(group + TCodes.Bytes + part * Lanes + lane));

        // Minima are below 64: their sign bit is clear.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Offset(byte* group, int lane, int part) =>
            TScales.Sub == 0 ? _offset : -(_offset * Vector256.ConvertToSingle(Signed(group + TCodes.Bytes + (Scales + part) * Lanes + lane)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Row(byte* panel, long groups, ActivationBlock* a, Vector128<byte> levels, float* to)
    {
        Vector256<float> s0 = default, s1 = default;
        byte* unit = panel;
        for (long g = 0; g < groups; unit += Unit)
        {
            byte* group = unit + Head;
            HeadOf low = new(unit, 0), high = new(unit, 8);
            for (int i = 0; i < Groups && g < groups; i++, g++, group += Group, a++)
            {
                Prefetch(group);
                var step = Vector256.Create(a->Step);
                for (int part = 0; part < Parts; part++)
                {
                    Sum(group, (int*)a->Codes, part, levels, out Vector256<int> w0, out Vector256<int> w1);
                    if (!TScales.HasOffsets && !ByteDot.CountsFromZero(TCodes.Largest))
                    {
                        var start = Vector256.Create(a->Start[part]);
                        (w0, w1) = (w0 + start, w1 + start);
                    }
                    s0 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(w0), step * low.Scale(group, 0, part), s0);
                    s1 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(w1), step * high.Scale(group, 8, part), s1);
                    if (TScales.HasOffsets)
                    {
                        var x = Vector256.Create(a->Sum[part]);
                        s0 = Vector256.FusedMultiplyAdd(x, low.Offset(group, 0, part), s0);
                        s1 = Vector256.FusedMultiplyAdd(x, high.Offset(group, 8, part), s1);
                    }
                }
            }
        }
        s0.Store(to);
        s1.Store(to + 8);
    }

    // The lines of a group some groups ahead: a row alone waits for memory.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* group)
    {
        const int Ahead = 2048;
        for (int line = 0; Sse.IsSupported && line < Group; line += 64)
        {
            Sse.Prefetch0(group + Ahead + line);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum(byte* group, int* x, int part, Vector128<byte> levels, out Vector256<int> s0, out Vector256<int> s1)
    {
        ByteDot.Sums a = default, b = default;
        if (Parts == 1 || part == 0)
        {
            Add(group, x, 0, levels, ref a, ref b);
            Add(group, x, 2, levels, ref a, ref b);
        }
        if (Parts == 1 || part == 1)
        {
            Add(group, x, 4, levels, ref a, ref b);
            Add(group, x, 6, levels, ref a, ref b);
        }
        (s0, s1) = (a.Total(TCodes.Largest), b.Total(TCodes.Largest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(byte* group, int* x, int four, Vector128<byte> levels, ref ByteDot.Sums a, ref ByteDot.Sums b)
    {
        Vector256<sbyte> x0 = Vector256.Create(x[four]).AsSByte(), x1 = Vector256.Create(x[four + 1]).AsSByte();
        a.Add(TCodes.Largest, TCodes.At(group, four, 0, levels), x0, TCodes.At(group, four + 1, 0, levels), x1);
        b.Add(TCodes.Largest, TCodes.At(group, four, 32, levels), x0, TCodes.At(group, four + 1, 32, levels), x1);
    }
}
