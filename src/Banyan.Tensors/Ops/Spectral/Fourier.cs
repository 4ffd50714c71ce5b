using Banyan.Ops;

namespace Banyan;

/// <summary>Where the factor 1/n of a transform and its inverse goes.</summary>
public enum FftNorm
{
    /// <summary>Into the inverse transform (the default of PyTorch and NumPy).</summary>
    Backward,

    /// <summary>Into both, as 1/sqrt(n): the transform is unitary.</summary>
    Ortho,

    /// <summary>Into the forward transform.</summary>
    Forward,
}

/// <summary>
/// Discrete Fourier transforms of any length. Complex tensors have a last dimension of 2 (real, imaginary), which <c>dim</c> does not count:
/// dimension -1 of a complex (B, n, 2) is n. Computed in double precision.
/// </summary>
public static partial class Fourier
{
    /// <summary>The transform of complex numbers along one dimension.</summary>
    /// <param name="x">(..., n, ..., 2).</param>
    /// <param name="n">Length: the input is cut or filled with zeros. Default: the input's.</param>
    /// <param name="dim">The dimension, not counting the last. Default: the last.</param>
    /// <param name="norm">Default: no factor here, 1/n in the inverse.</param>
    /// <exception cref="ArgumentException">The last dimension is not 2, or the length is less than 1.</exception>
    public static Tensor Fft(Tensor x, long? n = null, int dim = -1, FftNorm norm = FftNorm.Backward) => Along(x, n, dim, norm, inverse: false);

    /// <summary>The inverse transform of complex numbers along one dimension; parameters as in <see cref="Fft"/>.</summary>
    public static Tensor Ifft(Tensor x, long? n = null, int dim = -1, FftNorm norm = FftNorm.Backward) => Along(x, n, dim, norm, inverse: true);

    /// <summary>The first n/2 + 1 bins of the transform of real numbers: (..., n) becomes (..., n/2 + 1, 2). The rest mirrors them.</summary>
    /// <param name="x">Real numbers.</param>
    /// <param name="n">Length: the input is cut or filled with zeros. Default: the input's.</param>
    /// <param name="dim">Default: the last.</param>
    /// <param name="norm">Default: no factor here, 1/n in the inverse.</param>
    public static Tensor Rfft(Tensor x, long? n = null, int dim = -1, FftNorm norm = FftNorm.Backward)
    {
        int axis = x.Shape.Axis(dim);
        Tensor y = Fft(Complex(x), n, axis, norm);
        return y.Slice(axis, 0, y.Shape[axis] / 2 + 1);
    }

    /// <summary>
    /// The real numbers whose transform has the bins given: (..., m, 2) becomes (..., n). The imaginary parts of bin 0 and (n even) n/2 do not count.
    /// </summary>
    /// <param name="x">Bins 0, 1, ...; missing ones up to n/2 are 0, further ones are ignored.</param>
    /// <param name="n">Length of the result. Default: 2 (m - 1).</param>
    /// <param name="dim">The dimension, not counting the last. Default: the last.</param>
    /// <param name="norm">Default: 1/n.</param>
    public static Tensor Irfft(Tensor x, long? n = null, int dim = -1, FftNorm norm = FftNorm.Backward)
    {
        int axis = ComplexAxis(x, dim);
        long length = n ?? 2 * (x.Shape[axis] - 1);
        Tensor half = Resize(x, axis, length / 2 + 1);
        // A bin and its mirror image add to twice the real part: count the bin twice and leave the image out.
        var weight = new float[length / 2 + 1];
        for (int k = 0; k < weight.Length; k++)
        {
            weight[k] = k == 0 || 2 * k == length ? 1 : 2;
        }
        Shape column = new Shape([.. Enumerable.Repeat(1L, x.Rank)]).With(axis, weight.Length);
        Tensor y = Ifft(half * Constant(x, weight, column), length, axis, norm);
        return y.Select(-1, 0);
    }

    /// <summary>The transform of real numbers over the last two dimensions: (..., H, W) becomes (..., H, W/2 + 1, 2).</summary>
    public static Tensor Rfft2(Tensor x, FftNorm norm = FftNorm.Backward) => Fft(Rfft(x, norm: norm), dim: -2, norm: norm);

    /// <summary>The inverse of <see cref="Rfft2"/>; <paramref name="width"/> is W (default 2 (m - 1)).</summary>
    public static Tensor Irfft2(Tensor x, long? width = null, FftNorm norm = FftNorm.Backward) => Irfft(Ifft(x, dim: -2, norm: norm), width, norm: norm);

    /// <summary>Moves frequency 0 to the middle of a dimension; <paramref name="dim"/> counts every dimension.</summary>
    public static Tensor FftShift(Tensor x, int dim = -1) => Turn(x, dim, x.Shape[dim] / 2);

    /// <summary>Moves frequency 0 from the middle of a dimension back to its start.</summary>
    public static Tensor IfftShift(Tensor x, int dim = -1) => Turn(x, dim, x.Shape[dim] - x.Shape[dim] / 2);

    /// <summary>The frequencies of the n bins in cycles per unit, for samples <paramref name="d"/> units apart: 0, 1, ..., -1 over n d.</summary>
    public static Tensor FftFreq(long n, double d = 1) => Line(n, k => (k < (n + 1) / 2 ? k : k - n) / (n * d));

    /// <summary>The frequencies of the n/2 + 1 bins of <see cref="Rfft"/>.</summary>
    public static Tensor RfftFreq(long n, double d = 1) => Line(n / 2 + 1, k => k / (n * d));

    // Real numbers with imaginary parts of 0.
    private static Tensor Complex(Tensor x) => SlicePad.Apply(x.Unsqueeze(-1), x.Shape.Insert(-1, 2), x.Rank, 0);

    private static Tensor Line(long n, Func<long, double> at)
    {
        var values = new float[n];
        for (long k = 0; k < n; k++)
        {
            values[k] = (float)at(k);
        }
        return Tensor.From(values, [n]);
    }

    private static Tensor Along(Tensor x, long? n, int dim, FftNorm norm, bool inverse)
    {
        int axis = ComplexAxis(x, dim), last = x.Rank - 2;
        long length = n ?? x.Shape[axis];
        if (length < 1)
        {
            throw new ArgumentException($"fft: the length is {length}, at least 1 is needed (input {x.Shape})");
        }
        double scale = norm == FftNorm.Ortho ? 1 / Math.Sqrt(length) : norm == FftNorm.Backward == inverse ? 1.0 / length : 1;
        Tensor y = FourierTransform.Apply(Resize(x, axis, length).Transpose(axis, last), inverse, scale);
        return y.Transpose(axis, last);
    }

    private static int ComplexAxis(Tensor x, int dim)
    {
        if (x.Rank < 2 || x.Shape[-1] != 2)
        {
            throw new ArgumentException($"fft: complex numbers need a last dimension of 2 (real, imaginary), the input is {x.Shape}");
        }
        return x.Shape.Without(-1).Axis(dim);
    }

    private static Tensor Resize(Tensor x, int axis, long length) => length <= x.Shape[axis]
        ? x.Slice(axis, 0, length)
        : SlicePad.Apply(x, x.Shape.With(axis, length), axis, 0);

    private static Tensor Turn(Tensor x, int dim, long by) =>
        Tensor.Cat([x.Slice(dim, x.Shape[dim] - by, by), x.Slice(dim, 0, x.Shape[dim] - by)], dim);

    internal static Tensor Constant(Tensor like, float[] values, in Shape shape)
    {
        Tensor t = Tensor.Allocate(like.Scope, shape, DType.Float32, like.Device);
        t.CopyFrom<float>(values);
        return t.To(like.DType);
    }
}
