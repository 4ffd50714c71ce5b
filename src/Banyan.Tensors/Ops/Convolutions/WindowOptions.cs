namespace Banyan.Ops;

/// <summary>
/// Kernel, stride, padding and dilation of a convolution or pooling, one number per dimension. As given by the caller each is empty (the
/// default: stride and dilation 1, padding 0), one number for all dimensions, or one per dimension; padding may also name begin and end of
/// each dimension.
/// </summary>
internal readonly struct WindowOptions
{
    public WindowOptions(string op, in Shape kernel, in Shape stride, in Shape padding, in Shape dilation)
    {
        int n = kernel.Rank;
        Kernel = kernel;
        Stride = PerDimension(op, nameof(stride), stride, n, 1);
        Dilation = PerDimension(op, nameof(dilation), dilation, n, 1);
        bool perSide = padding.Rank == 2 * n && n > 0;
        Shape both = perSide ? default : PerDimension(op, nameof(padding), padding, n, 0);
        Span<long> begin = stackalloc long[Shape.MaxRank], end = stackalloc long[Shape.MaxRank];
        for (int i = 0; i < n; i++)
        {
            begin[i] = perSide ? padding[2 * i] : both[i];
            end[i] = perSide ? padding[2 * i + 1] : both[i];
        }
        Begin = new Shape(begin[..n]);
        End = new Shape(end[..n]);
    }

    public Shape Kernel { get; }

    public Shape Stride { get; }

    public Shape Dilation { get; }

    /// <summary>Padding before the first element of each dimension.</summary>
    public Shape Begin { get; }

    /// <summary>Padding after the last element of each dimension.</summary>
    public Shape End { get; }

    public int Rank => Kernel.Rank;

    public bool HasPadding => Begin.Span.ContainsAnyExcept(0) || End.Span.ContainsAnyExcept(0);

    /// <summary>The numbers for each of n dimensions.</summary>
    public static Shape PerDimension(string op, string what, in Shape given, int n, long otherwise)
    {
        if (given.Rank == n)
        {
            return given;
        }
        if (given.Rank > 1)
        {
            throw new ArgumentException($"{op}: {what} {given} names {given.Rank} numbers for {n} dimensions; give one, or one per dimension");
        }
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        sizes.Fill(given.Rank == 1 ? given[0] : otherwise);
        return new Shape(sizes[..n]);
    }

    /// <summary>x with zeros around its last dimensions (<paramref name="extra"/> more at the end of each).</summary>
    public Tensor Pad(Tensor x, in Shape extra = default)
    {
        for (int i = 0; i < Rank; i++)
        {
            int d = x.Rank - Rank + i;
            long more = Begin[i] + End[i] + (extra.Rank > 0 ? extra[i] : 0);
            x = more == 0 ? x : SlicePad.Apply(x, x.Shape.With(d, checked(x.Shape[d] + more)), d, Begin[i]);
        }
        return x;
    }

    /// <summary>The windows of x, padded with zeros: (..., *K, *O).</summary>
    public Tensor Windows(Tensor x) => SlidingWindows.Apply(Pad(x), Kernel, Stride, Dilation);
}
