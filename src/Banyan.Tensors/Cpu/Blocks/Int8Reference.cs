using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Banyan.Cpu.Emit;

namespace Banyan.Cpu;

/// <summary>
/// The managed twin of <see cref="Int8Tile"/>: where the processor lacks the instruction, emitted code is switched off, or the platform forbids it. The same bits. A row at a time by
/// 32 columns, four vectors of 256 bits.
/// </summary>
internal static unsafe class Int8Reference
{
    public static void Run(int rows, UnpackedGroup layout, Int8TileArgs* args)
    {
        if (layout.Largest <= 15)
        {
            Rows<FourBits>(rows, layout, args);
        }
        else if (layout.Largest <= 63)
        {
            Rows<SixBits>(rows, layout, args);
        }
        else
        {
            Rows<EightBits>(rows, layout, args);
        }
    }

    private static void Rows<TLargest>(int rows, UnpackedGroup layout, Int8TileArgs* args) where TLargest : struct, ILargest
    {
        int done = ByteDot.CountsFromZero(TLargest.Code) ? ThreeRows(rows, layout, args) : 0;
        for (int row = done; row < rows; row++)
        {
            float* from = args->From == null ? null : (float*)((byte*)args->From + row * args->FromRow), to = (float*)((byte*)args->To + row * args->ToRow);
            if (layout.HasOffsets)
            {
                Row<TLargest, Yes>(args->Groups, layout, args->A + row, rows, args->B, from, to);
            }
            else
            {
                Row<TLargest, No>(args->Groups, layout, args->A + row, rows, args->B, from, to);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<TLargest, TOffsets>(long groups, UnpackedGroup layout, ActivationBlock* a, int stride, byte* b, float* from, float* to) where TLargest : struct, ILargest where TOffsets : struct, IYesOrNo
    {
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        if (from != null)
        {
            (s0, s1, s2, s3) = (Vector256.Load(from), Vector256.Load(from + 8), Vector256.Load(from + 16), Vector256.Load(from + 24));
        }
        int fours = layout.Group / 4, bytes = layout.Bytes, scales = layout.Scales;
        for (long g = 0; g < groups; g++, a += stride, b += bytes)
        {
            float* scale = (float*)(b + UnpackedGroup.Codes);
            for (int part = 0; part < scales; part++, scale += 32)
            {
                ByteDot.Sums a0 = default, a1 = default, a2 = default, a3 = default;
                byte* w = b + 128 * fours * part;
                int* codes = (int*)a->Codes + fours * part;
                for (int i = 0; i < fours; i += 2, w += 256)
                {
                    Vector256<sbyte> x0 = Vector256.Create(codes[i]).AsSByte(), x1 = Vector256.Create(codes[i + 1]).AsSByte();
                    a0.Add(TLargest.Code, Vector256.Load(w), x0, Vector256.Load(w + 128), x1);
                    a1.Add(TLargest.Code, Vector256.Load(w + 32), x0, Vector256.Load(w + 160), x1);
                    a2.Add(TLargest.Code, Vector256.Load(w + 64), x0, Vector256.Load(w + 192), x1);
                    a3.Add(TLargest.Code, Vector256.Load(w + 96), x0, Vector256.Load(w + 224), x1);
                }
                (Vector256<int> w0, Vector256<int> w1, Vector256<int> w2, Vector256<int> w3) = (a0.Total(TLargest.Code), a1.Total(TLargest.Code), a2.Total(TLargest.Code), a3.Total(TLargest.Code));
                if (!TOffsets.Value && !ByteDot.CountsFromZero(TLargest.Code))
                {
                    var start = Vector256.Create(a->Start[part]);
                    (w0, w1, w2, w3) = (w0 + start, w1 + start, w2 + start, w3 + start);
                }
                var step = Vector256.Create(a->Step);
                s0 = Fma(Vector256.ConvertToSingle(w0), step * Vector256.Load(scale), s0);
                s1 = Fma(Vector256.ConvertToSingle(w1), step * Vector256.Load(scale + 8), s1);
                s2 = Fma(Vector256.ConvertToSingle(w2), step * Vector256.Load(scale + 16), s2);
                s3 = Fma(Vector256.ConvertToSingle(w3), step * Vector256.Load(scale + 24), s3);
                if (TOffsets.Value)
                {
                    var x = Vector256.Create(a->Sum[part]);
                    float* offset = scale + 32 * scales;
                    s0 = Fma(x, Vector256.Load(offset), s0);
                    s1 = Fma(x, Vector256.Load(offset + 8), s1);
                    s2 = Fma(x, Vector256.Load(offset + 16), s2);
                    s3 = Fma(x, Vector256.Load(offset + 24), s3);
                }
            }
        }
        s0.Store(to);
        s1.Store(to + 8);
        s2.Store(to + 16);
        s3.Store(to + 24);
    }

    // Codes of 8 bits without VNNI: three rows share what is done to each weight. Returns the rows that are done.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int ThreeRows(int rows, UnpackedGroup layout, Int8TileArgs* args)
    {
        int row = 0, bytes = layout.Bytes, scales = layout.Scales, fours = layout.Group / 4;
        var one = Vector256.Create((short)1);
        for (; row + 3 <= rows; row += 3)
        {
            for (int column = 0; column < 32; column += 8)
            {
                float* to = (float*)((byte*)args->To + row * args->ToRow) + column, to1 = (float*)((byte*)to + args->ToRow), to2 = (float*)((byte*)to1 + args->ToRow);
                Vector256<float> s0 = default, s1 = default, s2 = default;
                if (args->From != null)
                {
                    float* from = (float*)((byte*)args->From + row * args->FromRow) + column;
                    (s0, s1, s2) = (Vector256.Load(from), Vector256.Load((float*)((byte*)from + args->FromRow)), Vector256.Load((float*)((byte*)from + 2 * args->FromRow)));
                }
                byte* b = args->B;
                ActivationBlock* a = args->A + row;
                for (long g = 0; g < args->Groups; g++, a += rows, b += bytes)
                {
                    for (int part = 0; part < scales; part++)
                    {
                        Vector256<int> w0 = default, w1 = default, w2 = default;
                        byte* w = b + 128 * fours * part + 4 * column;
                        for (int i = fours * part; i < fours * (part + 1); i++, w += 128)
                        {
                            Vector256<sbyte> signed = (Vector256.Load(w) ^ Vector256.Create((byte)128)).AsSByte();
                            Vector256<byte> size = Avx2.Abs(signed);
                            w0 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(size, Avx2.Sign(Vector256.Create(((int*)a->Codes)[i]).AsSByte(), signed)), one);
                            w1 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(size, Avx2.Sign(Vector256.Create(((int*)a[1].Codes)[i]).AsSByte(), signed)), one);
                            w2 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(size, Avx2.Sign(Vector256.Create(((int*)a[2].Codes)[i]).AsSByte(), signed)), one);
                        }
                        Vector256<float> scale = Vector256.Load((float*)(b + UnpackedGroup.Codes) + 32 * part + column);
                        s0 = Fma(Vector256.ConvertToSingle(w0), Vector256.Create(a->Step) * scale, s0);
                        s1 = Fma(Vector256.ConvertToSingle(w1), Vector256.Create(a[1].Step) * scale, s1);
                        s2 = Fma(Vector256.ConvertToSingle(w2), Vector256.Create(a[2].Step) * scale, s2);
                    }
                }
                s0.Store(to);
                s1.Store(to1);
                s2.Store(to2);
            }
        }
        return row;
    }

    private static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);

    private interface IYesOrNo
    {
        static abstract bool Value { get; }
    }

    private readonly struct Yes : IYesOrNo
    {
        public static bool Value => true;
    }

    private readonly struct No : IYesOrNo
    {
        public static bool Value => false;
    }

    private interface ILargest
    {
        static abstract int Code { get; }
    }

    private readonly struct FourBits : ILargest
    {
        public static int Code => 15;
    }

    private readonly struct SixBits : ILargest
    {
        public static int Code => 63;
    }

    private readonly struct EightBits : ILargest
    {
        public static int Code => 255;
    }
}
