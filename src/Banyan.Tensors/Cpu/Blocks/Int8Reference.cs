using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Banyan.Cpu.Emit;

namespace Banyan.Cpu;

/// <summary>The managed twin of <see cref="Int8Tile"/>: where the processor lacks the instruction, emitted code is switched off, or the platform forbids it. The same bits.</summary>
internal static unsafe class Int8Reference
{
    public static void Run(int rows, UnpackedGroup layout, Int8TileArgs* args)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < 32; column += 8)
            {
                float* from = args->From == null ? null : (float*)((byte*)args->From + row * args->FromRow) + column;
                Vector256<float> sum = from == null ? Vector256<float>.Zero : Vector256.Load(from);
                Columns(rows, layout, args, row, column, sum).Store((float*)((byte*)args->To + row * args->ToRow) + column);
            }
        }
    }

    private static Vector256<float> Columns(int rows, UnpackedGroup layout, Int8TileArgs* args, int row, int column, Vector256<float> sum)
    {
        byte* b = args->B;
        ActivationBlock* a = args->A + row;
        for (long g = 0; g < args->Groups; g++, a += rows, b += layout.Bytes)
        {
            float* scales = (float*)(b + UnpackedGroup.Codes) + column;
            for (int part = 0; part < layout.Scales; part++, scales += 32)
            {
                Vector256<int> whole = layout.HasOffsets ? Vector256<int>.Zero : Vector256.Create(a->Start[part]);
                for (int four = part * layout.Group / 4; four < (part + 1) * layout.Group / 4; four++)
                {
                    whole = Dot(whole, Vector256.Load(b + 128 * four + 4 * column), Vector256.Create(((int*)a->Codes)[four]).AsSByte());
                }
                sum = Fma(Vector256.ConvertToSingle(whole), Vector256.Create(a->Step) * Vector256.Load(scales), sum);
                if (layout.HasOffsets)
                {
                    sum = Fma(Vector256.Create(a->Sum[part]), Vector256.Load(scales + 32 * layout.Scales), sum);
                }
            }
        }
        return sum;
    }

    private static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);

    // Four products of bytes in each lane, unsigned by signed.
    private static Vector256<int> Dot(Vector256<int> sum, Vector256<byte> w, Vector256<sbyte> x)
    {
        if (AvxVnni.IsSupported)
        {
            return AvxVnni.MultiplyWideningAndAdd(sum, w, x);
        }
        (Vector256<ushort> w0, Vector256<ushort> w1) = Vector256.Widen(w);
        (Vector256<short> x0, Vector256<short> x1) = Vector256.Widen(x);
        if (Avx2.IsSupported)
        {
            Vector256<int> a = Avx2.MultiplyAddAdjacent(w0.AsInt16(), x0), b = Avx2.MultiplyAddAdjacent(w1.AsInt16(), x1);
            return sum + Avx2.Permute4x64(Avx2.HorizontalAdd(a, b).AsInt64(), 0b11_01_10_00).AsInt32();
        }
        Span<int> lanes = stackalloc int[8];
        for (int i = 0; i < 32; i++)
        {
            lanes[i / 4] += (i < 16 ? w0[i] : w1[i - 16]) * (i < 16 ? x0[i] : x1[i - 16]);
        }
        return sum + Vector256.Create<int>(lanes);
    }
}
