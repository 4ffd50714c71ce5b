namespace Banyan;

/// <summary>What <see cref="Tensor.Pad"/> puts around a tensor.</summary>
public enum PadMode
{
    /// <summary>A number.</summary>
    Constant,

    /// <summary>The elements mirrored at the edge, which is not repeated.</summary>
    Reflect,

    /// <summary>The element at the edge.</summary>
    Replicate,

    /// <summary>The elements of the other end.</summary>
    Circular,
}

public sealed partial class Tensor
{
    /// <summary>The tensor with its last dimensions padded, or cut where a number is negative (constant mode).</summary>
    /// <param name="pad">Before and after the last dimension, before and after the one in front of it, ...</param>
    /// <param name="mode">What comes in.</param>
    /// <param name="value">The number of the constant mode.</param>
    /// <exception cref="ArgumentException">The list does not fit, or more is asked for than the mode can give.</exception>
    public Tensor Pad(ReadOnlySpan<long> pad, PadMode mode = PadMode.Constant, double value = 0)
    {
        if (pad.Length % 2 != 0 || pad.Length > 2 * Rank)
        {
            throw new ArgumentException($"pad: {pad.Length} numbers do not fit {Shape}; give two for each padded dimension");
        }
        Tensor x = this;
        for (int i = 0; i < pad.Length; i += 2)
        {
            int dim = Rank - 1 - i / 2;
            x = mode == PadMode.Constant ? x.PadWith(value, dim, pad[i], pad[i + 1]) : x.PadFrom(mode, dim, pad[i], pad[i + 1]);
        }
        return x;
    }

    private Tensor PadWith(double value, int dim, long before, long after)
    {
        long cut = Math.Max(0, -before), length = checked(Shape[dim] - cut - Math.Max(0, -after));
        if (length < 0)
        {
            throw new ArgumentException($"pad: {before} and {after} cut more than dimension {dim} of {Shape} has");
        }
        (before, after) = (Math.Max(0, before), Math.Max(0, after));
        Tensor x = Slice(dim, cut, length);
        if (value == 0)
        {
            return before + after == 0 ? x : Ops.SlicePad.Apply(x, Shape.With(dim, checked(before + length + after)), dim, before);
        }
        Tensor number = Number(value);
        return Cat([number.Expand(Shape.With(dim, before)), x, number.Expand(Shape.With(dim, after))], dim);
    }

    private Tensor PadFrom(PadMode mode, int dim, long before, long after)
    {
        long n = Shape[dim], most = mode switch { PadMode.Reflect => n - 1, PadMode.Circular => n, _ => n > 0 ? long.MaxValue - n : 0 };
        if (before < 0 || after < 0 || before > most || after > most)
        {
            throw new ArgumentException($"pad: {before} and {after} elements cannot come from dimension {dim} of {Shape} in {mode} mode");
        }
        if (before + after == 0)
        {
            return this;
        }
        long length = checked(before + n + after);
        return IndexSelect(dim, From(Sequence(length, i => PadSource(mode, i - before, n)), [length]));
    }

    // Where the element at i (outside of [0, n) in the padding) comes from.
    private static long PadSource(PadMode mode, long i, long n) => mode switch
    {
        PadMode.Reflect => i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i,
        PadMode.Replicate => Math.Clamp(i, 0, n - 1),
        _ => Wrapped(i, n),
    };
}
