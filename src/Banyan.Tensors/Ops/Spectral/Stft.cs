using Banyan.Ops;

namespace Banyan;

/// <summary>How a short-time Fourier transform cuts a signal.</summary>
public sealed class StftOptions
{
    /// <summary>Length of the transform.</summary>
    public required long FftSize { get; init; }

    /// <summary>Samples from frame to frame. Default: a quarter of <see cref="FftSize"/>.</summary>
    public long? HopLength { get; init; }

    /// <summary>The window, at most <see cref="FftSize"/> long; a shorter one is centred in zeros. Default: ones.</summary>
    public Tensor? Window { get; init; }

    /// <summary>True extends the signal on both sides, so that frame t is centred at sample t * hop. Default: true.</summary>
    public bool Center { get; init; } = true;

    /// <summary>True extends by reflection, false by zeros. Default: true.</summary>
    public bool Reflect { get; init; } = true;

    /// <summary>True divides by the square root of <see cref="FftSize"/>. Default: false.</summary>
    public bool Normalized { get; init; }

    /// <summary>True keeps the bins 0 to <see cref="FftSize"/>/2 of the symmetric spectrum. Default: true.</summary>
    public bool OneSided { get; init; } = true;

    internal long Hop => HopLength ?? FftSize / 4;

    internal FftNorm Norm => Normalized ? FftNorm.Ortho : FftNorm.Backward;
}

// The short-time Fourier transform: spectra of overlapping windowed frames.
public static partial class Fourier
{
    /// <summary>The spectra of a signal: (..., T) becomes (..., bins, frames, 2).</summary>
    /// <exception cref="ArgumentException">The signal is shorter than a frame (or than its reflection needs), or the window too long.</exception>
    public static Tensor Stft(Tensor x, StftOptions options)
    {
        Tensor signal = options.Center ? Extend(x, options.FftSize / 2, options.Reflect) : x;
        Tensor frames = SlidingWindows.Apply(signal, [options.FftSize], [options.Hop], [1]).Transpose(-1, -2);   // (..., frames, n)
        Tensor windowed = options.Window is null ? frames : frames * Padded(options);
        Tensor spectra = options.OneSided ? Rfft(windowed, norm: options.Norm) : Fft(Complex(windowed), norm: options.Norm);
        return spectra.Transpose(-2, -3);
    }

    /// <summary>The signal of given spectra: frames are added where they overlap and divided by the sum of the squared windows (Griffin and Lim 1984).</summary>
    /// <param name="y">(..., bins, frames, 2).</param>
    /// <param name="options">As given to <see cref="Stft"/>.</param>
    /// <param name="length">Samples to return. Default: as many as the frames hold.</param>
    /// <exception cref="ArgumentException">The windows leave a sample uncovered, or the frames hold fewer samples than asked for.</exception>
    public static Tensor Istft(Tensor y, StftOptions options, long? length = null)
    {
        long n = options.FftSize, total = n + options.Hop * (y.Shape[-2] - 1), start = options.Center ? n / 2 : 0;
        long samples = length ?? total - 2 * start;
        if (start + samples > total)
        {
            throw new ArgumentException($"istft: {samples} samples asked for, {y.Shape[-2]} frames hold {total - start}");
        }
        Tensor spectra = y.Transpose(-2, -3);   // (..., frames, bins, 2)
        Tensor frames = options.OneSided ? Irfft(spectra, n, norm: options.Norm) : Ifft(spectra, norm: options.Norm).Select(-1, 0);
        Tensor window = options.Window is null ? Tensor.Full([n], 1) : Padded(options);
        Tensor sum = OverlapAdd.Apply((frames * window).Transpose(-1, -2), [total], [options.Hop], [1]).Slice(-1, start, samples);
        Tensor weight = OverlapAdd.Apply((window * window).Unsqueeze(-1).Expand([n, y.Shape[-2]]), [total], [options.Hop], [1]).Slice(-1, start, samples);
        if (!weight.Device.IsMeta && weight.ToDoubles().Any(w => w < 1e-11))
        {
            throw new ArgumentException($"istft: windows with a hop of {options.Hop} leave samples uncovered");
        }
        return sum / weight;
    }

    private static Tensor Padded(StftOptions options)
    {
        Tensor window = options.Window!;
        long room = options.FftSize - window.Count;
        if (window.Rank != 1 || room < 0)
        {
            throw new ArgumentException($"stft: the window is {window.Shape}, one dimension of at most {options.FftSize} is expected");
        }
        return room == 0 ? window : SlicePad.Apply(window, [options.FftSize], 0, room / 2);
    }

    private static Tensor Extend(Tensor x, long by, bool reflect)
    {
        long n = x.Shape[-1];
        if (!reflect)
        {
            return SlicePad.Apply(x, x.Shape.With(-1, n + 2 * by), x.Rank - 1, by);
        }
        if (by >= n)
        {
            throw new ArgumentException($"stft: a signal of {n} samples cannot be reflected by {by}; it must be longer");
        }
        var from = new long[n + 2 * by];
        for (long i = 0; i < from.Length; i++)
        {
            long j = Math.Abs(i - by);
            from[i] = j < n ? j : 2 * (n - 1) - j;
        }
        Tensor index = Tensor.Allocate(x.Scope, [from.Length], DType.Int64, x.Device);
        index.CopyFrom<long>(from);
        return x.Gather(-1, index.Expand(x.Shape.With(-1, from.Length)));
    }
}
