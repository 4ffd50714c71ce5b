using System.Runtime.Intrinsics;

namespace Banyan.Quant;

/// <summary>
/// Scales that make the weighted squared error small: several are tried around the one that just spans the numbers; for the codes that each gives, the best scale (and minimum) is the
/// solution of a least-squares problem.
/// </summary>
internal static class ScaleSearch
{
    /// <summary>x = scale q - minimum with q from 0 to <paramref name="max"/>; minimum and scale are not negative.</summary>
    /// <param name="x">The numbers.</param>
    /// <param name="weights">How much an error of each counts.</param>
    /// <param name="max">The largest code.</param>
    /// <param name="minimum">The number that is taken off.</param>
    /// <param name="first">The first scale spans the numbers with <paramref name="max"/> + first steps.</param>
    /// <param name="step">What is added for the next.</param>
    /// <param name="steps">How many follow.</param>
    /// <param name="absolute">Compare absolute instead of squared errors.</param>
    public static float WithMinimum(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, int max, out float minimum, float first, float step, int steps, bool absolute)
    {
        float low = Math.Min(0, Q4_1.Min(x)), high = Q4_1.Max(x);
        if (high <= low)
        {
            minimum = -low;
            return 0;
        }
        Span<float> codes = stackalloc float[x.Length];
        Round(x, codes, low, max / (high - low), max);
        float scale = (high - low) / max, bestLow = low, best = Error(x, weights, codes, scale, low, absolute);
        float w = Sum(weights, weights, ones: true), wx = Sum(weights, x, ones: false);
        for (int i = 0; i <= steps; i++)
        {
            Round(x, codes, low, (first + step * i + max) / (high - low), max);
            // Weighted sums of the normal equations for x = s q + l.
            Vector256<float> vq = default, vqq = default, vxq = default;
            for (int j = 0; j < x.Length; j += 8)
            {
                Vector256<float> q = At(codes, j), wq8 = At(weights, j) * q;
                (vq, vqq, vxq) = (vq + wq8, vqq + wq8 * q, vxq + wq8 * At(x, j));
            }
            float wq = Sum(vq), wqq = Sum(vqq), wxq = Sum(vxq), determinant = w * wqq - wq * wq;
            if (determinant <= 0)
            {
                continue;
            }
            float s = (w * wxq - wx * wq) / determinant, l = (wqq * wx - wq * wxq) / determinant;
            if (l > 0)
            {
                (l, s) = (0, wxq / wqq);
            }
            float error = Error(x, weights, codes, s, l, absolute);
            if (error < best)
            {
                (best, scale, bestLow) = (error, s, l);
            }
        }
        minimum = -bestLow;
        return scale;
    }

    /// <summary>x = scale q with q from -<paramref name="max"/> to <paramref name="max"/> - 1, errors weighted by the squares of the numbers.</summary>
    public static float Symmetric(ReadOnlySpan<float> x, int max)
    {
        float extreme = BlockMath.Extreme(x);
        if (MathF.Abs(extreme) < 1e-15f)
        {
            return 0;
        }
        float best = -1, scale = 0;
        var bottom = Vector256.Create((float)-max);
        var top = Vector256.Create(max - 1f);
        for (int i = -9; i <= 9; i++)
        {
            var inverse = Vector256.Create(-(max + 0.1f * i) / extreme);
            Vector256<float> vxq = default, vqq = default;
            for (int j = 0; j < x.Length; j += 8)
            {
                Vector256<float> v = At(x, j), q = Vector256.Min(top, Vector256.Max(bottom, Vector256.Floor(inverse * v + Half))), wq = v * v * q;
                (vxq, vqq) = (vxq + wq * v, vqq + wq * q);
            }
            float xq = Sum(vxq), qq = Sum(vqq);
            // The error that is left is sum w x^2 - xq^2 / qq.
            if (qq > 0 && (best < 0 || xq * xq > best * qq))
            {
                (scale, best) = (xq / qq, xq * xq / qq);
            }
        }
        return scale;
    }

    /// <summary>As <see cref="Symmetric"/>, then the codes are changed one by one as long as that makes the error smaller: worth it for few bits.</summary>
    public static float Descent(ReadOnlySpan<float> x, int max)
    {
        float extreme = BlockMath.Extreme(x);
        if (MathF.Abs(extreme) < 1e-15f)
        {
            return 0;
        }
        Span<int> codes = stackalloc int[x.Length];
        float bestScale = 0, best = -1;
        for (int start = -2; start <= 2; start++)
        {
            float inverse = -(max + 0.25f * start) / extreme, xq = 0, qq = 0;
            for (int i = 0; i < x.Length; i++)
            {
                codes[i] = Math.Clamp(BlockMath.Round(inverse * x[i]), -max, max - 1);
                float weight = x[i] * x[i];
                xq += weight * x[i] * codes[i];
                qq += weight * codes[i] * codes[i];
            }
            for (int round = 0, changed = 1; round < 5 && changed > 0; round++)
            {
                changed = 0;
                for (int i = 0; i < x.Length; i++)
                {
                    float weight = x[i] * x[i], xqRest = xq - weight * x[i] * codes[i], qqRest = qq - weight * codes[i] * codes[i];
                    if (xqRest <= 0 || qqRest <= 0)
                    {
                        continue;
                    }
                    int code = Math.Clamp(BlockMath.Round(x[i] * qqRest / xqRest), -max, max - 1);
                    float xqNew = xqRest + weight * x[i] * code, qqNew = qqRest + weight * code * code;
                    if (code != codes[i] && qqNew > 0 && xqNew * xqNew * qq > xq * xq * qqNew)
                    {
                        (codes[i], xq, qq, changed) = (code, xqNew, qqNew, changed + 1);
                    }
                }
            }
            if (qq > 0 && xq * xq / qq > best)
            {
                (best, bestScale) = (xq * xq / qq, xq / qq);
            }
        }
        return bestScale;
    }

    private static Vector256<float> Half => Vector256.Create(0.5f);

    // Runs are of 16 or 32 numbers.
    private static Vector256<float> At(ReadOnlySpan<float> x, int j) => Vector256.LoadUnsafe(in x[j]);

    private static void Round(ReadOnlySpan<float> x, Span<float> codes, float low, float inverse, int max)
    {
        for (int j = 0; j < x.Length; j += 8)
        {
            Vector256<float> q = Vector256.Floor(inverse * (At(x, j) - Vector256.Create(low)) + Half);
            Vector256.Min(Vector256.Create((float)max), Vector256.Max(Vector256<float>.Zero, q)).CopyTo(codes[j..]);
        }
    }

    private static float Error(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<float> codes, float scale, float low, bool absolute)
    {
        Vector256<float> error = default;
        for (int j = 0; j < x.Length; j += 8)
        {
            Vector256<float> difference = scale * At(codes, j) + Vector256.Create(low) - At(x, j);
            error += At(weights, j) * (absolute ? Vector256.Abs(difference) : difference * difference);
        }
        return Sum(error);
    }

    private static float Sum(ReadOnlySpan<float> x, ReadOnlySpan<float> y, bool ones)
    {
        Vector256<float> sum = default;
        for (int j = 0; j < x.Length; j += 8)
        {
            sum += ones ? At(x, j) : At(x, j) * At(y, j);
        }
        return Sum(sum);
    }

    // In one order on every machine.
    private static float Sum(Vector256<float> v)
    {
        Vector128<float> four = v.GetLower() + v.GetUpper();
        return four[0] + four[2] + (four[1] + four[3]);
    }
}
