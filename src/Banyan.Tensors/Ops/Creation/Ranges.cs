namespace Banyan;

// Sequences of numbers: tensors outside any scope (bring them in with scope.Use).
public sealed partial class Tensor
{
    /// <summary>0, 1, ... count - 1 as int64.</summary>
    public static Tensor Arange(long count) => From(Sequence(count, i => i), [count]);

    /// <summary>start, start + step, ... up to, not including, <paramref name="end"/>. Default type: float32.</summary>
    /// <exception cref="ArgumentException"><paramref name="step"/> is 0 or leads away from the end.</exception>
    public static Tensor Arange(double start, double end, double step = 1, DType? dtype = null)
    {
        double count = Math.Ceiling((end - start) / step);
        if (!(count >= 0) || step == 0)
        {
            throw new ArgumentException($"arange: steps of {step} do not lead from {start} to {end}");
        }
        return FromDoubles(Sequence(checked((long)count), i => start + i * step), dtype);
    }

    /// <summary><paramref name="steps"/> evenly spaced numbers from start to end, both included. Default type: float32.</summary>
    public static Tensor Linspace(double start, double end, long steps, DType? dtype = null) => FromDoubles(Line(start, end, steps), dtype);

    /// <summary><paramref name="b"/> (default 10) to the power of evenly spaced numbers. Default type: float32.</summary>
    public static Tensor Logspace(double start, double end, long steps, double b = 10, DType? dtype = null) =>
        FromDoubles(Array.ConvertAll(Line(start, end, steps), x => Math.Pow(b, x)), dtype);

    private static double[] Line(double start, double end, long steps)
    {
        double step = steps > 1 ? (end - start) / (steps - 1) : 0;
        // From both ends, so that both are exact.
        return Sequence(steps, i => i < (steps + 1) / 2 ? start + i * step : end - (steps - 1 - i) * step);
    }

    private static T[] Sequence<T>(long count, Func<long, T> at)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var values = new T[count];
        for (long i = 0; i < count; i++)
        {
            values[i] = at(i);
        }
        return values;
    }

    private static Tensor FromDoubles(double[] values, DType? dtype) => From(values, [values.Length]).To(dtype ?? DType.Float32);
}
