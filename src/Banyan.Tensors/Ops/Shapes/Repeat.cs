using Banyan.Cpu;

namespace Banyan;

// Repeated elements: a dimension of size 1 is expanded and merged, so the gradient is summed over the repeats.
public sealed partial class Tensor
{
    /// <summary>The tensor repeated along each dimension; fewer numbers than dimensions count for the last ones, more add dimensions in front.</summary>
    public Tensor Repeat(params ReadOnlySpan<long> times)
    {
        Tensor x = this;
        while (x.Rank < times.Length)
        {
            x = x.Unsqueeze(0);
        }
        for (int i = 0; i < times.Length; i++)
        {
            int d = x.Rank - times.Length + i;
            Shape shape = x.Shape.With(d, checked(x.Shape[d] * times[i]));
            x = times[i] == 1 ? x : x.Unsqueeze(d).Expand(x.Shape.Insert(d, times[i])).Reshape(shape);
        }
        return x;
    }

    /// <summary>Every element of one dimension repeated in place.</summary>
    public Tensor RepeatInterleave(long repeats, int dim)
    {
        int axis = Shape.Axis(dim);
        return Unsqueeze(axis + 1).Expand(Shape.Insert(axis + 1, repeats)).Reshape(Shape.With(axis, checked(Shape[axis] * repeats)));
    }

    /// <summary>Every element repeated, in row-major order: one-dimensional.</summary>
    public Tensor RepeatInterleave(long repeats) => Reshape(Count).RepeatInterleave(repeats, 0);

    /// <summary>Element i of one dimension repeated repeats[i] times (int64).</summary>
    public Tensor RepeatInterleave(Tensor repeats, int dim)
    {
        if (repeats.Count != Shape[dim])
        {
            throw new ArgumentException($"repeat_interleave: {repeats.Count} repeats for dimension {Shape.Axis(dim)} of {Shape}");
        }
        if (repeats.Count > 0 && repeats.Min().Item() < 0)
        {
            throw new ArgumentException("repeat_interleave: a number of repeats is negative");
        }
        // The place i of the result belongs to the first element whose repeats, added up, exceed i.
        Tensor ends = Elementwise.Convert(repeats, DType.Int64).CumSum(0);
        long total = ends.Count == 0 ? 0 : (long)ends.Select(0, -1).Item();
        return IndexSelect(dim, ends.SearchSorted(Arange(total), right: true));
    }
}
