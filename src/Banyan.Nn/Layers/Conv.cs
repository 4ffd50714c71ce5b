using Banyan.Ops;

namespace Banyan.Nn;

/// <summary>Settings of <see cref="Conv"/> and <see cref="ConvTranspose"/>. A shape is one number for all dimensions, or one per dimension.</summary>
public sealed record ConvOptions
{
    /// <summary>Default: 1.</summary>
    public Shape Stride { get; init; }

    /// <summary>Added at both sides; also (begin, end) of each dimension. Default: 0.</summary>
    public Shape Padding { get; init; }

    /// <summary>True pads so that the output is as large as the input (stride 1); an odd number has its extra element at the end. Default: false.</summary>
    public bool Same { get; init; }

    /// <summary>Distance between kernel elements. Default: 1.</summary>
    public Shape Dilation { get; init; }

    /// <summary>Groups of channels that do not mix. Default: 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether there is a bias. Default: true.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>What the padding holds. Default: zeros.</summary>
    public PadMode PaddingMode { get; init; }

    /// <summary>Transposed convolution: elements added at the end. Default: 0.</summary>
    public Shape OutputPadding { get; init; }
}

/// <summary>
/// Convolution over the last dimensions, as many as the kernel has: torch.nn's Conv1d, Conv2d and Conv3d. Parameters: <c>weight</c>
/// (out, in / groups, *kernel), <c>bias</c> (out).
/// </summary>
public class Conv : Module
{
    private readonly ConvOptions _o;

    /// <summary>A convolution.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="kernel">Its size in each dimension: <c>[3, 3]</c>.</param>
    /// <param name="options">Default: stride 1, no padding, with a bias.</param>
    public Conv(long inChannels, long outChannels, in Shape kernel, ConvOptions? options = null)
    {
        _o = options ?? new ConvOptions();
        Kernel = kernel;
        double bound = 1 / Math.Sqrt(Math.Max(1, inChannels / _o.Groups * kernel.Count));
        Weight = Add("weight", kernel.Insert(0, inChannels / _o.Groups).Insert(0, outChannels), Initializer.Uniform(bound));
        Bias = _o.Bias ? Add("bias", [outChannels], Initializer.Uniform(bound)) : null;
    }

    /// <summary>Size of the kernel.</summary>
    public Shape Kernel { get; }

    /// <summary>(out, in / groups, *kernel).</summary>
    public Parameter Weight { get; }

    /// <summary>(out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>(N, in, *S) to (N, out, *S').</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Shape padding = _o.Same ? SamePadding() : _o.Padding;
        if (_o.PaddingMode != PadMode.Constant)
        {
            x = x.Pad(OutermostLast(padding), _o.PaddingMode);
            padding = default;
        }
        return pass.Visit(this, x.Conv(Weight, Bias?.Value, _o.Stride, padding, _o.Dilation, _o.Groups));
    }

    private Shape SamePadding()
    {
        Shape dilation = WindowOptions.PerDimension("conv", "dilation", _o.Dilation, Kernel.Rank, 1);
        var sides = new long[2 * Kernel.Rank];
        for (int i = 0; i < Kernel.Rank; i++)
        {
            long total = dilation[i] * (Kernel[i] - 1);
            (sides[2 * i], sides[2 * i + 1]) = (total / 2, total - total / 2);
        }
        return sides;
    }

    // Pad names the last dimension first, two numbers for each.
    private long[] OutermostLast(in Shape padding)
    {
        int n = Kernel.Rank;
        bool perSide = padding.Rank == 2 * n;
        Shape both = perSide ? padding : WindowOptions.PerDimension("conv", "padding", padding, n, 0);
        var pad = new long[2 * n];
        for (int i = 0; i < n; i++)
        {
            int at = 2 * (n - 1 - i);
            (pad[at], pad[at + 1]) = perSide ? (both[2 * i], both[2 * i + 1]) : (both[i], both[i]);
        }
        return pad;
    }
}

/// <summary>
/// Transposed convolution, the gradient of <see cref="Conv"/> with respect to its input: torch.nn's ConvTranspose1d, 2d and 3d. Parameters:
/// <c>weight</c> (in, out / groups, *kernel), <c>bias</c> (out).
/// </summary>
public sealed class ConvTranspose : Module
{
    private readonly ConvOptions _o;

    /// <summary>A transposed convolution.</summary>
    /// <param name="inChannels">Channels of the input.</param>
    /// <param name="outChannels">Channels of the output.</param>
    /// <param name="kernel">Its size in each dimension.</param>
    /// <param name="options">Padding is what is cut off at both sides. Default: stride 1, no padding, with a bias.</param>
    /// <exception cref="ArgumentException">A padding mode other than zeros.</exception>
    public ConvTranspose(long inChannels, long outChannels, in Shape kernel, ConvOptions? options = null)
    {
        _o = options ?? new ConvOptions();
        if (_o.PaddingMode != PadMode.Constant || _o.Same)
        {
            throw new ArgumentException("transposed convolution: padding is cut off here; it has no mode and no 'same'");
        }
        double bound = 1 / Math.Sqrt(Math.Max(1, outChannels / _o.Groups * kernel.Count));
        Weight = Add("weight", kernel.Insert(0, outChannels / _o.Groups).Insert(0, inChannels), Initializer.Uniform(bound));
        Bias = _o.Bias ? Add("bias", [outChannels], Initializer.Uniform(bound)) : null;
    }

    /// <summary>(in, out / groups, *kernel).</summary>
    public Parameter Weight { get; }

    /// <summary>(out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>(N, in, *S) to (N, out, *S').</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) =>
        pass.Visit(this, x.ConvTranspose(Weight, Bias?.Value, _o.Stride, _o.Padding, _o.OutputPadding, _o.Dilation, _o.Groups));
}
