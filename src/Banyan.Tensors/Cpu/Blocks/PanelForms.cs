using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>How codes lie in a group of a panel: 16 lanes, 32 numbers of k, four of them in 32 bits of a lane.</summary>
internal unsafe interface ICodes
{
    /// <summary>The largest code.</summary>
    static abstract int Largest { get; }

    /// <summary>Bytes of a group.</summary>
    static abstract int Bytes { get; }

    /// <summary>Four numbers of k (counted in fours) of eight lanes (from byte <paramref name="half"/> on).</summary>
    static abstract Vector256<byte> At(byte* group, int four, int half, Vector128<byte> levels);

    /// <summary>Puts the 32 codes of one lane into a group.</summary>
    static abstract void Put(uint* codes, uint* lane);
}

/// <summary>4 bits: the numbers 16 ahead in the high half of each byte.</summary>
internal readonly unsafe struct NibbleCodes : ICodes
{
    public static int Largest => 15;

    public static int Bytes => 256;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> At(byte* group, int four, int half, Vector128<byte> levels)
    {
        Vector256<byte> v = Vector256.Load(group + 64 * (four & 3) + half);
        return (four < 4 ? v : (v.AsUInt16() >> 4).AsByte()) & Vector256.Create((byte)15);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(uint* codes, uint* lane)
    {
        const uint Low = 0x0F0F0F0F;
        lane[0] = (codes[0] & Low) | (codes[4] & Low) << 4;
        lane[16] = (codes[1] & Low) | (codes[5] & Low) << 4;
        lane[32] = (codes[2] & Low) | (codes[6] & Low) << 4;
        lane[48] = (codes[3] & Low) | (codes[7] & Low) << 4;
    }
}

/// <summary>4 bits that choose one of 16 levels, counted from 128.</summary>
internal readonly unsafe struct LevelCodes : ICodes
{
    public static int Largest => 255;

    public static int Bytes => NibbleCodes.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> At(byte* group, int four, int half, Vector128<byte> levels)
    {
        Vector256<byte> index = NibbleCodes.At(group, four, half, levels);
        return Avx2.IsSupported ? Avx2.Shuffle(Vector256.Create(levels, levels), index)
            : Vector256.Create(Vector128.Shuffle(levels, index.GetLower()), Vector128.Shuffle(levels, index.GetUpper()));
    }

    public static void Put(uint* codes, uint* lane) => NibbleCodes.Put(codes, lane);
}

/// <summary>6 bits: four as <see cref="NibbleCodes"/>, and behind them the upper two of numbers 4 apart together in a byte.</summary>
internal readonly unsafe struct SixBitCodes : ICodes
{
    public static int Largest => 63;

    public static int Bytes => 384;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> At(byte* group, int four, int half, Vector128<byte> levels)
    {
        Vector256<ushort> v = Vector256.Load(group + (four < 4 ? 256 : 320) + half).AsUInt16();
        v = (four & 3) switch { 0 => v << 4, 1 => v << 2, 2 => v, _ => v >> 2 };
        return NibbleCodes.At(group, four, half, levels) | (v.AsByte() & Vector256.Create((byte)0x30));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(uint* codes, uint* lane)
    {
        const uint High = 0x03030303;
        NibbleCodes.Put(codes, lane);
        lane[64] = (codes[0] >> 4 & High) | (codes[1] >> 4 & High) << 2 | (codes[2] >> 4 & High) << 4 | (codes[3] >> 4 & High) << 6;
        lane[80] = (codes[4] >> 4 & High) | (codes[5] >> 4 & High) << 2 | (codes[6] >> 4 & High) << 4 | (codes[7] >> 4 & High) << 6;
    }
}

/// <summary>8 bits.</summary>
internal readonly unsafe struct ByteCodes : ICodes
{
    public static int Largest => 255;

    static int ICodes.Bytes => 512;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> At(byte* group, int four, int half, Vector128<byte> levels) => Vector256.Load(group + 64 * four + half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(uint* codes, uint* lane)
    {
        for (int i = 0; i < 8; i++)
        {
            lane[16 * i] = codes[i];
        }
    }
}

/// <summary>Which scales a block has.</summary>
internal interface IScales
{
    /// <summary>Numbers that share a whole-number scale within a block of 256: 16 or 32; 0: none, and blocks are of 32.</summary>
    static abstract int Sub { get; }

    /// <summary>Whether there are offsets: with scales minus offset * minimum, else plus the offset.</summary>
    static abstract bool HasOffsets { get; }

    /// <summary>Steps are float32 instead of half.</summary>
    static virtual bool IsWide => false;
}

/// <summary>A step.</summary>
internal readonly struct Steps : IScales
{
    public static int Sub => 0;

    public static bool HasOffsets => false;
}

/// <summary>A step in float32.</summary>
internal readonly struct FloatSteps : IScales
{
    public static int Sub => 0;

    public static bool HasOffsets => false;

    public static bool IsWide => true;
}

/// <summary>A step and an offset.</summary>
internal readonly struct StepsAndOffsets : IScales
{
    public static int Sub => 0;

    public static bool HasOffsets => true;
}

/// <summary>A step times a scale for each 16.</summary>
internal readonly struct Sub16 : IScales
{
    public static int Sub => 16;

    public static bool HasOffsets => false;
}

/// <summary>A step times a scale and an offset times a minimum for each 16.</summary>
internal readonly struct Sub16AndMinima : IScales
{
    public static int Sub => 16;

    public static bool HasOffsets => true;
}

/// <summary>A step times a scale for each 32.</summary>
internal readonly struct Sub32 : IScales
{
    public static int Sub => 32;

    public static bool HasOffsets => false;
}

/// <summary>A step times a scale and an offset times a minimum for each 32.</summary>
internal readonly struct Sub32AndMinima : IScales
{
    public static int Sub => 32;

    public static bool HasOffsets => true;
}
