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
        if (AvxVnni.IsSupported)
        {
            Rows<Vnni>(rows, layout, args);
        }
        else if (!Avx2.IsSupported)
        {
            Rows<Portable>(rows, layout, args);
        }
        else if (layout.Largest <= 15)
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

    private static void Rows<TDot>(int rows, UnpackedGroup layout, Int8TileArgs* args) where TDot : struct, IDot
    {
        for (int row = 0; row < rows; row++)
        {
            float* from = args->From == null ? null : (float*)((byte*)args->From + row * args->FromRow), to = (float*)((byte*)args->To + row * args->ToRow);
            if (layout.HasOffsets)
            {
                Row<TDot, Yes>(args->Groups, layout, args->A + row, rows, args->B, from, to);
            }
            else
            {
                Row<TDot, No>(args->Groups, layout, args->A + row, rows, args->B, from, to);
            }
        }
    }

    private static void Row<TDot, TOffsets>(long groups, UnpackedGroup layout, ActivationBlock* a, int stride, byte* b, float* from, float* to) where TDot : struct, IDot where TOffsets : struct, IYesOrNo
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
                TDot.Sum(b + 128 * fours * part, (int*)a->Codes + fours * part, fours, out Vector256<int> w0, out Vector256<int> w1, out Vector256<int> w2, out Vector256<int> w3);
                if (!TOffsets.Value && !TDot.IsSigned)
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

    /// <summary>The sums of products of codes with the bytes of x, in 32 lanes.</summary>
    private interface IDot
    {
        /// <summary>Whether codes count from 128.</summary>
        static virtual bool IsSigned => false;

        static abstract void Sum(byte* w, int* x, int fours, out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3);
    }

    private readonly struct Vnni : IDot
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Sum(byte* w, int* x, int fours, out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        {
            s0 = s1 = s2 = s3 = default;
            for (int i = 0; i < fours; i++, w += 128)
            {
                Vector256<sbyte> v = Vector256.Create(x[i]).AsSByte();
                s0 = AvxVnni.MultiplyWideningAndAdd(s0, Vector256.Load(w), v);
                s1 = AvxVnni.MultiplyWideningAndAdd(s1, Vector256.Load(w + 32), v);
                s2 = AvxVnni.MultiplyWideningAndAdd(s2, Vector256.Load(w + 64), v);
                s3 = AvxVnni.MultiplyWideningAndAdd(s3, Vector256.Load(w + 96), v);
            }
        }
    }

    // Two products of 15 * 127 in each of 16 bits: eight times as much still fits.
    private readonly struct FourBits : IDot
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Sum(byte* w, int* x, int fours, out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        {
            Vector256<short> a0 = default, a1 = default, a2 = default, a3 = default;
            for (int i = 0; i < fours; i++, w += 128)
            {
                Vector256<sbyte> v = Vector256.Create(x[i]).AsSByte();
                a0 += Avx2.MultiplyAddAdjacent(Vector256.Load(w), v);
                a1 += Avx2.MultiplyAddAdjacent(Vector256.Load(w + 32), v);
                a2 += Avx2.MultiplyAddAdjacent(Vector256.Load(w + 64), v);
                a3 += Avx2.MultiplyAddAdjacent(Vector256.Load(w + 96), v);
            }
            var one = Vector256.Create((short)1);
            (s0, s1) = (Avx2.MultiplyAddAdjacent(a0, one), Avx2.MultiplyAddAdjacent(a1, one));
            (s2, s3) = (Avx2.MultiplyAddAdjacent(a2, one), Avx2.MultiplyAddAdjacent(a3, one));
        }
    }

    // Of 63 * 127 twice as much.
    private readonly struct SixBits : IDot
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Sum(byte* w, int* x, int fours, out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        {
            s0 = s1 = s2 = s3 = default;
            var one = Vector256.Create((short)1);
            for (int i = 0; i < fours; i += 2, w += 256)
            {
                Vector256<sbyte> v = Vector256.Create(x[i]).AsSByte(), u = Vector256.Create(x[i + 1]).AsSByte();
                s0 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Vector256.Load(w), v) + Avx2.MultiplyAddAdjacent(Vector256.Load(w + 128), u), one);
                s1 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Vector256.Load(w + 32), v) + Avx2.MultiplyAddAdjacent(Vector256.Load(w + 160), u), one);
                s2 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Vector256.Load(w + 64), v) + Avx2.MultiplyAddAdjacent(Vector256.Load(w + 192), u), one);
                s3 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Vector256.Load(w + 96), v) + Avx2.MultiplyAddAdjacent(Vector256.Load(w + 224), u), one);
            }
        }
    }

    // 255 * 127 twice does not fit, 128 * 127 does: the sign of the weight goes to x.
    private readonly struct EightBits : IDot
    {
        public static bool IsSigned => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Sum(byte* w, int* x, int fours, out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        {
            s0 = s1 = s2 = s3 = default;
            for (int i = 0; i < fours; i++, w += 128)
            {
                Vector256<sbyte> v = Vector256.Create(x[i]).AsSByte();
                s0 += Products(w, v);
                s1 += Products(w + 32, v);
                s2 += Products(w + 64, v);
                s3 += Products(w + 96, v);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<int> Products(byte* w, Vector256<sbyte> x)
        {
            Vector256<sbyte> signed = (Vector256.Load(w) ^ Vector256.Create((byte)128)).AsSByte();
            return Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Avx2.Abs(signed), Avx2.Sign(x, signed)), Vector256.Create((short)1));
        }
    }

    private readonly struct Portable : IDot
    {
        public static void Sum(byte* w, int* x, int fours, out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        {
            int* sums = stackalloc int[32];
            new Span<int>(sums, 32).Clear();
            for (int i = 0; i < fours; i++, w += 128)
            {
                sbyte* v = (sbyte*)(x + i);
                for (int j = 0; j < 128; j++)
                {
                    sums[j / 4] += w[j] * v[j % 4];
                }
            }
            (s0, s1, s2, s3) = (Vector256.Load(sums), Vector256.Load(sums + 8), Vector256.Load(sums + 16), Vector256.Load(sums + 24));
        }
    }
}
