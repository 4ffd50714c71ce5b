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
        float scale = (high - low) / max, best = Error(x, weights, scale, low, max, max / (high - low), absolute);
        float bestLow = low;
        for (int i = 0; i <= steps; i++)
        {
            float inverse = (first + step * i + max) / (high - low);
            // Weighted sums of the normal equations for x = s q + l.
            float w = 0, wq = 0, wqq = 0, wx = 0, wxq = 0;
            for (int j = 0; j < x.Length; j++)
            {
                float q = Math.Clamp(BlockMath.Round(inverse * (x[j] - low)), 0, max), weight = weights[j];
                w += weight;
                wq += weight * q;
                wqq += weight * q * q;
                wx += weight * x[j];
                wxq += weight * q * x[j];
            }
            float determinant = w * wqq - wq * wq;
            if (determinant <= 0)
            {
                continue;
            }
            float s = (w * wxq - wx * wq) / determinant, l = (wqq * wx - wq * wxq) / determinant;
            if (l > 0)
            {
                (l, s) = (0, wxq / wqq);
            }
            float error = Error(x, weights, s, l, max, inverse, absolute, low);
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
        for (int i = -9; i <= 9; i++)
        {
            float inverse = -(max + 0.1f * i) / extreme, xq = 0, qq = 0;
            foreach (float v in x)
            {
                float q = Math.Clamp(BlockMath.Round(inverse * v), -max, max - 1), weight = v * v;
                xq += weight * v * q;
                qq += weight * q * q;
            }
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

    // The error of a scale with the codes that another one (inverse, from start on) gave.
    private static float Error(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, float scale, float low, int max, float inverse, bool absolute, float? start = null)
    {
        float error = 0;
        for (int j = 0; j < x.Length; j++)
        {
            float q = Math.Clamp(BlockMath.Round(inverse * (x[j] - (start ?? low))), 0, max), difference = scale * q + low - x[j];
            error += weights[j] * (absolute ? MathF.Abs(difference) : difference * difference);
        }
        return error;
    }
}
