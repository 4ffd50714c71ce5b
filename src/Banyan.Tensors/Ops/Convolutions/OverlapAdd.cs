using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>
/// The adjoint of <see cref="SlidingWindows"/>: (..., *K, *O) is added up into (..., *S), element (k, o) at o * stride + k * dilation.
/// dx is the windows of dy.
/// </summary>
public sealed class OverlapAdd : Op
{
    private readonly Shape _kernel, _stride, _dilation;

    private OverlapAdd(in Shape kernel, in Shape stride, in Shape dilation) => (_kernel, _stride, _dilation) = (kernel, stride, dilation);

    /// <inheritdoc/>
    public override string Name => "overlap_add";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>The sums; <paramref name="size"/> holds the sizes S of the result's last dimensions.</summary>
    public static Tensor Apply(Tensor x, in Shape size, in Shape stride, in Shape dilation)
    {
        int n = size.Rank, lead = x.Rank - 2 * n;
        Shape kernel = x.Shape.Slice(lead, n);
        Tensor wide = Elementwise.Convert(x, Promotion.ComputeType(x.DType));
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        x.Shape.Span[..lead].CopyTo(sizes);
        size.Span.CopyTo(sizes[lead..]);
        Tensor y = Tensor.Allocate(wide, new Shape(sizes[..(lead + n)]));
        y.Fill(0);
        // One kernel position after another: its elements meet each output at most once, so the order of the sums is fixed.
        for (long k = 0; k < kernel.Count && x.Count > 0; k++)
        {
            AddPosition(wide, y, k, kernel, stride, dilation);
        }
        y = Elementwise.Convert(y, x.DType);
        if (Tape.Needs(y.Scope, x))
        {
            y.Scope!.Tape!.Record(new OverlapAdd(kernel, stride, dilation), [x], y);
        }
        return y;
    }

    private static void AddPosition(Tensor x, Tensor y, long position, in Shape kernel, in Shape stride, in Shape dilation)
    {
        int n = kernel.Rank, lead = y.Rank - n;
        Span<long> sizes = stackalloc long[Shape.MaxRank], from = stackalloc long[Shape.MaxRank], to = stackalloc long[Shape.MaxRank];
        x.Shape.Span[..lead].CopyTo(sizes);
        x.Strides.Span[..lead].CopyTo(from);
        y.Strides.Span[..lead].CopyTo(to);
        long xOffset = x.Body.Offset, yOffset = y.Body.Offset;
        for (int i = n - 1; i >= 0; i--)
        {
            long k = position % kernel[i];
            position /= kernel[i];
            xOffset += k * x.Strides[lead + i];
            yOffset += k * dilation[i] * y.Strides[lead + i];
            sizes[lead + i] = x.Shape[lead + n + i];
            from[lead + i] = x.Strides[lead + n + i];
            to[lead + i] = y.Strides[lead + i] * stride[i];
        }
        var shape = new Shape(sizes[..y.Rank]);
        Tensor target = y.AsView(shape, new Shape(to[..y.Rank]), yOffset);
        target.AddInPlace(x.AsView(shape, new Shape(from[..y.Rank]), xOffset));
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c) => c.Grad(0, SlidingWindows.Apply(c.GradOutput(), _kernel, _stride, _dilation));
}
