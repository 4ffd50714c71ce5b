namespace Banyan;

// Order statistics: sort, then pick. Gradients go to the elements that were picked.
public sealed partial class Tensor
{
    /// <summary>The k-th smallest element (k from 1) along one dimension, and its index.</summary>
    public (Tensor Values, Tensor Indices) KthValue(long k, int dim = -1, bool keepDim = false)
    {
        if (k < 1 || k > Shape[dim])
        {
            throw new ArgumentOutOfRangeException(nameof(k), k, $"kthvalue: dimension {Shape.Axis(dim)} of {Shape} has {Shape[dim]} elements");
        }
        Tensor index = ArgSort(dim).Slice(dim, k - 1, 1);
        return (Drop(Gather(dim, index), dim, keepDim), Drop(index, dim, keepDim));
    }

    /// <summary>The (lower) median along one dimension, and its index. NaN where one element is NaN.</summary>
    public (Tensor Values, Tensor Indices) Median(int dim, bool keepDim = false)
    {
        long n = Shape[dim];
        if (n == 0)
        {
            throw new ArgumentException($"median: dimension {Shape.Axis(dim)} of {Shape} is empty");
        }
        Tensor order = ArgSort(dim), middle = order.Slice(dim, (n - 1) / 2, 1), last = order.Slice(dim, n - 1, 1);
        Tensor index = Where(Detach().Gather(dim, last).IsNaN(), last, middle);
        return (Drop(Gather(dim, index), dim, keepDim), Drop(index, dim, keepDim));
    }

    /// <summary>The (lower) median of all elements, 0-d.</summary>
    public Tensor Median() => Reshape(Count).Median(0).Values;

    /// <summary>
    /// The q-quantiles along one dimension, between neighbours linearly interpolated. The first dimension of the result belongs to
    /// <paramref name="q"/> (one-dimensional, in [0, 1]).
    /// </summary>
    public Tensor Quantile(Tensor q, int dim, bool keepDim = false)
    {
        long n = Shape[dim];
        Tensor sorted = Sort(dim).Values;
        double[] at = q.ToDoubles();
        var rows = new Tensor[at.Length];
        for (int i = 0; i < at.Length; i++)
        {
            if (!(at[i] >= 0 && at[i] <= 1))
            {
                throw new ArgumentOutOfRangeException(nameof(q), at[i], "quantile: q must lie in [0, 1]");
            }
            double place = at[i] * (n - 1);
            Tensor low = sorted.Slice(dim, (long)Math.Floor(place), 1), high = sorted.Slice(dim, (long)Math.Ceiling(place), 1);
            rows[i] = Drop(low.Lerp(high, place - Math.Floor(place)), dim, keepDim);
        }
        return Stack(rows);
    }
}
