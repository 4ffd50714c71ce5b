using Banyan.Autograd;

namespace Banyan.Ops;

/// <summary>
/// All windows of the last n dimensions as a view: (..., *S) becomes (..., *K, *O); nothing is copied. Element (k, o) is
/// x[o * stride + k * dilation]. Its adjoint is <see cref="OverlapAdd"/>.
/// </summary>
public sealed class SlidingWindows : Op
{
    private readonly Shape _kernel, _stride, _dilation;

    private SlidingWindows(in Shape kernel, in Shape stride, in Shape dilation) => (_kernel, _stride, _dilation) = (kernel, stride, dilation);

    /// <inheritdoc/>
    public override string Name => "sliding_windows";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>The view; kernel, stride and dilation name one number per windowed dimension.</summary>
    /// <exception cref="ArgumentException">A window is larger than its dimension, or the result has too many dimensions.</exception>
    public static Tensor Apply(Tensor x, in Shape kernel, in Shape stride, in Shape dilation)
    {
        int n = kernel.Rank, lead = x.Rank - n;
        if (lead < 0 || lead + 2 * n > Shape.MaxRank)
        {
            throw new ArgumentException($"windows of {n} dimensions over {x.Shape}: the result would have {lead + 2 * n} dimensions, at most {Shape.MaxRank} are supported");
        }
        Span<long> sizes = stackalloc long[Shape.MaxRank], steps = stackalloc long[Shape.MaxRank];
        x.Shape.Span[..lead].CopyTo(sizes);
        x.Strides.Span[..lead].CopyTo(steps);
        for (int i = 0; i < n; i++)
        {
            sizes[lead + i] = kernel[i];
            steps[lead + i] = x.Strides[lead + i] * dilation[i];
            sizes[lead + n + i] = Positions(x.Shape[lead + i], kernel[i], stride[i], dilation[i]);
            steps[lead + n + i] = x.Strides[lead + i] * stride[i];
        }
        int rank = lead + 2 * n;
        Tensor y = x.AsView(new Shape(sizes[..rank]), new Shape(steps[..rank]), x.Body.Offset);
        if (Tape.Needs(y.Scope, x))
        {
            y.Scope!.Tape!.Record(new SlidingWindows(kernel, stride, dilation), [x], y);
        }
        return y;
    }

    /// <summary>How many windows fit into <paramref name="size"/> elements.</summary>
    internal static long Positions(long size, long kernel, long stride, long dilation)
    {
        if (kernel < 1 || stride < 1 || dilation < 1)
        {
            throw new ArgumentException($"windows: kernel {kernel}, stride {stride} and dilation {dilation} must be at least 1");
        }
        long extent = checked(dilation * (kernel - 1) + 1);
        return extent <= size
            ? (size - extent) / stride + 1
            : throw new ArgumentException($"windows: a kernel of {kernel} with dilation {dilation} spans {extent} elements, the (padded) input has {size}");
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Shape input = c.Input(0).Shape;
        c.Grad(0, OverlapAdd.Apply(c.GradOutput(), input.Slice(input.Rank - _kernel.Rank, _kernel.Rank), _stride, _dilation));
    }
}
