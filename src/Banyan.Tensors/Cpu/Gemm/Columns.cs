using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>Four vectors.</summary>
internal readonly record struct Four<V>(V V0, V V1, V V2, V V3) where V : struct;

/// <summary>
/// Reads a W x 4 block of a row-major matrix and transposes it in registers, so that each lane follows one row. Only 128-bit loads and
/// shuffles within 128-bit lanes: lane crossings are slow (Zen 1) or need more registers.
/// </summary>
internal static unsafe class Columns
{
    /// <summary>Vector i holds, for the W rows, the element i: lane j is <c>p[j * stride + i]</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<V> Load4<V>(float* p, long stride) where V : struct
    {
        // Decided at compile time: V is a constant type in each instantiation.
        if (typeof(V) == typeof(Vector512<float>))
        {
            return As<Vector512<float>, V>(Load512(p, stride));
        }
        if (typeof(V) == typeof(Vector256<float>))
        {
            return As<Vector256<float>, V>(Load256(p, stride));
        }
        if (typeof(V) == typeof(Vector128<float>))
        {
            return As<Vector128<float>, V>(Load128(p, stride));
        }
        return As<float, V>(new(p[0], p[1], p[2], p[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four<V> As<T, V>(Four<T> x) where T : struct where V : struct =>
        new(Unsafe.BitCast<T, V>(x.V0), Unsafe.BitCast<T, V>(x.V1), Unsafe.BitCast<T, V>(x.V2), Unsafe.BitCast<T, V>(x.V3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four<Vector512<float>> Load512(float* p, long s)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<float> r0 = Quarter(p, s), r1 = Quarter(p + s, s), r2 = Quarter(p + 2 * s, s), r3 = Quarter(p + 3 * s, s);
            var t0 = Avx512F.UnpackLow(r0, r1).AsDouble();
            var t1 = Avx512F.UnpackHigh(r0, r1).AsDouble();
            var t2 = Avx512F.UnpackLow(r2, r3).AsDouble();
            var t3 = Avx512F.UnpackHigh(r2, r3).AsDouble();
            return new(Avx512F.UnpackLow(t0, t2).AsSingle(), Avx512F.UnpackHigh(t0, t2).AsSingle(),
                Avx512F.UnpackLow(t1, t3).AsSingle(), Avx512F.UnpackHigh(t1, t3).AsSingle());
        }
        Four<Vector256<float>> lo = Load256(p, s), hi = Load256(p + 8 * s, s);
        return new(Vector512.Create(lo.V0, hi.V0), Vector512.Create(lo.V1, hi.V1),
            Vector512.Create(lo.V2, hi.V2), Vector512.Create(lo.V3, hi.V3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarter(float* p, long s) => Vector512.Create(Half(p, s), Half(p + 8 * s, s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four<Vector256<float>> Load256(float* p, long s)
    {
        if (Avx.IsSupported)
        {
            Vector256<float> r0 = Half(p, s), r1 = Half(p + s, s), r2 = Half(p + 2 * s, s), r3 = Half(p + 3 * s, s);
            var t0 = Avx.UnpackLow(r0, r1).AsDouble();
            var t1 = Avx.UnpackHigh(r0, r1).AsDouble();
            var t2 = Avx.UnpackLow(r2, r3).AsDouble();
            var t3 = Avx.UnpackHigh(r2, r3).AsDouble();
            return new(Avx.UnpackLow(t0, t2).AsSingle(), Avx.UnpackHigh(t0, t2).AsSingle(),
                Avx.UnpackLow(t1, t3).AsSingle(), Avx.UnpackHigh(t1, t3).AsSingle());
        }
        Four<Vector128<float>> lo = Load128(p, s), hi = Load128(p + 4 * s, s);
        return new(Vector256.Create(lo.V0, hi.V0), Vector256.Create(lo.V1, hi.V1),
            Vector256.Create(lo.V2, hi.V2), Vector256.Create(lo.V3, hi.V3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Half(float* p, long s) => Vector256.Create(Vector128.Load(p), Vector128.Load(p + 4 * s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<Vector128<float>> Load128(float* p, long s)
    {
        Vector128<float> r0 = Vector128.Load(p), r1 = Vector128.Load(p + s), r2 = Vector128.Load(p + 2 * s), r3 = Vector128.Load(p + 3 * s);
        Vector128<double> t0 = InterleaveLow(r0, r1).AsDouble(), t1 = InterleaveHigh(r0, r1).AsDouble();
        Vector128<double> t2 = InterleaveLow(r2, r3).AsDouble(), t3 = InterleaveHigh(r2, r3).AsDouble();
        return new(LowHalves(t0, t2), HighHalves(t0, t2), LowHalves(t1, t3), HighHalves(t1, t3));
    }

    /// <summary>(a0, b0, a1, b1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> InterleaveLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>(a2, b2, a3, b3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> InterleaveHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    private static Vector128<float> LowHalves(Vector128<double> a, Vector128<double> b) => Vector128.Create(a.GetLower(), b.GetLower()).AsSingle();

    private static Vector128<float> HighHalves(Vector128<double> a, Vector128<double> b) => Vector128.Create(a.GetUpper(), b.GetUpper()).AsSingle();
}
