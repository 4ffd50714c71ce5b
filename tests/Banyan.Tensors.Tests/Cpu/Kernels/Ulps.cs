namespace Banyan.Tensors.Tests.Cpu.Kernels;

/// <summary>Distance of a float32 result from the exact value, in units in the last place of the exact value.</summary>
internal static class Ulps
{
    public static double Between(float got, double exact)
    {
        if (double.IsNaN(exact) || float.IsNaN(got))
        {
            return double.IsNaN(exact) && float.IsNaN(got) ? 0 : double.PositiveInfinity;
        }
        if (double.IsInfinity(exact))
        {
            return got == exact ? 0 : double.PositiveInfinity;
        }
        // An overflowed result counts as 2^128, the next number after the largest, if the exact value overflows float32 or nearly so.
        double value = float.IsInfinity(got) ? Math.CopySign(Math.ScaleB(1, 128), got) : got;
        double limited = Math.Clamp(exact, -Math.ScaleB(1, 128), Math.ScaleB(1, 128));
        return Math.Abs(value - limited) / Spacing(limited);
    }

    private static double Spacing(double x) => Math.ScaleB(1, Math.Clamp(x == 0 ? -126 : Math.ILogB(x), -126, 127) - 23);
}
