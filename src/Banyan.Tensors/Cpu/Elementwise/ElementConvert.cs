using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>Conversion of one element, as PyTorch does it on x86: floats to integers truncate, integers to narrower ones wrap.</summary>
internal static class ElementConvert
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TY To<TX, TY>(TX x) where TX : unmanaged where TY : unmanaged
    {
        bool isInteger = typeof(TX) == typeof(long) || typeof(TX) == typeof(int) || typeof(TX) == typeof(short) || typeof(TX) == typeof(sbyte)
            || typeof(TX) == typeof(byte) || typeof(TX) == typeof(bool);
        return isInteger ? FromLong<TY>(ToLong(x)) : typeof(TX) == typeof(double) ? FromDouble<TY>((double)(object)x) : FromFloat<TY>(ToFloat(x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long ToLong<TX>(TX x) where TX : unmanaged =>
        typeof(TX) == typeof(long) ? (long)(object)x : typeof(TX) == typeof(int) ? (int)(object)x
        : typeof(TX) == typeof(bool) ? (bool)(object)x ? 1 : 0
        : typeof(TX) == typeof(short) ? (short)(object)x : typeof(TX) == typeof(sbyte) ? (sbyte)(object)x : (byte)(object)x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float ToFloat<TX>(TX x) where TX : unmanaged =>
        typeof(TX) == typeof(float) ? (float)(object)x : typeof(TX) == typeof(Half) ? (float)(Half)(object)x
        : typeof(TX) == typeof(Float8E4M3FN) ? (Float8E4M3FN)(object)x
        : typeof(TX) == typeof(Float8E5M2) ? (Float8E5M2)(object)x
        : typeof(TX) == typeof(Float8E4M3FNUZ) ? (Float8E4M3FNUZ)(object)x
        : typeof(TX) == typeof(Float8E5M2FNUZ) ? (Float8E5M2FNUZ)(object)x
        : typeof(TX) == typeof(Float8E8M0FNU) ? (Float8E8M0FNU)(object)x
        : (BFloat16)(object)x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TY FromLong<TY>(long x) where TY : unmanaged =>
        typeof(TY) == typeof(long) ? (TY)(object)x
        : typeof(TY) == typeof(int) ? (TY)(object)unchecked((int)x)
        : typeof(TY) == typeof(short) ? (TY)(object)unchecked((short)x)
        : typeof(TY) == typeof(sbyte) ? (TY)(object)unchecked((sbyte)x)
        : typeof(TY) == typeof(byte) ? (TY)(object)unchecked((byte)x)
        : typeof(TY) == typeof(bool) ? (TY)(object)(x != 0)
        : typeof(TY) == typeof(double) ? (TY)(object)(double)x
        : typeof(TY) == typeof(float) ? (TY)(object)(float)x
        : FromFloat<TY>((float)x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TY FromDouble<TY>(double x) where TY : unmanaged =>
        typeof(TY) == typeof(double) ? (TY)(object)x
        : typeof(TY) == typeof(bool) ? (TY)(object)(x != 0)
        : IsFloat<TY>() ? FromFloat<TY>((float)x)
        : FromLong<TY>((long)x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TY FromFloat<TY>(float x) where TY : unmanaged =>
        typeof(TY) == typeof(float) ? (TY)(object)x
        : typeof(TY) == typeof(double) ? (TY)(object)(double)x
        : typeof(TY) == typeof(Half) ? (TY)(object)(Half)x
        : typeof(TY) == typeof(BFloat16) ? (TY)(object)(BFloat16)x
        : typeof(TY) == typeof(Float8E4M3FN) ? (TY)(object)(Float8E4M3FN)x
        : typeof(TY) == typeof(Float8E5M2) ? (TY)(object)(Float8E5M2)x
        : typeof(TY) == typeof(Float8E4M3FNUZ) ? (TY)(object)(Float8E4M3FNUZ)x
        : typeof(TY) == typeof(Float8E5M2FNUZ) ? (TY)(object)(Float8E5M2FNUZ)x
        : typeof(TY) == typeof(Float8E8M0FNU) ? (TY)(object)(Float8E8M0FNU)x
        : typeof(TY) == typeof(bool) ? (TY)(object)(x != 0)
        : FromLong<TY>((long)x);

    private static bool IsFloat<TY>() =>
        typeof(TY) == typeof(float) || typeof(TY) == typeof(Half) || typeof(TY) == typeof(BFloat16) || typeof(TY) == typeof(Float8E4M3FN)
        || typeof(TY) == typeof(Float8E5M2) || typeof(TY) == typeof(Float8E4M3FNUZ) || typeof(TY) == typeof(Float8E5M2FNUZ) || typeof(TY) == typeof(Float8E8M0FNU);
}
