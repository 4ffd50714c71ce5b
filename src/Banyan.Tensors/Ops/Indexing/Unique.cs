namespace Banyan;

/// <summary>The distinct elements of a tensor.</summary>
/// <param name="Values">The distinct elements (or slices).</param>
/// <param name="Inverse">For every element its index in the values: int64.</param>
/// <param name="Counts">How often each value occurs: int64.</param>
public readonly record struct UniqueElements(Tensor Values, Tensor Inverse, Tensor Counts);

// Sort, mark where a new value begins, number the marks.
public sealed partial class Tensor
{
    /// <summary>The distinct elements in ascending order. NaNs count as distinct.</summary>
    public UniqueElements Unique()
    {
        Tensor flat = Detach().Reshape(Count), order = flat.ArgSort();
        UniqueElements runs = flat.Take(order).UniqueConsecutive();
        return runs with { Inverse = runs.Inverse.BackFrom(order).Reshape(Shape) };
    }

    /// <summary>The distinct slices of one dimension in ascending order (compared element by element).</summary>
    public UniqueElements Unique(int dim)
    {
        Tensor rows = Detach().MoveDim(dim, 0), flat = rows.Reshape(rows.Shape[0], -1), order = Arange(flat.Shape[0]);
        // By the last column first: the sort keeps the order of equals.
        for (long column = flat.Shape[1] - 1; column >= 0; column--)
        {
            order = order.Take(flat.Select(1, column).Take(order).ArgSort());
        }
        UniqueElements runs = Runs(rows.IndexSelect(0, order), flat.IndexSelect(0, order));
        return new(runs.Values.MoveDim(0, dim), runs.Inverse.BackFrom(order), runs.Counts);
    }

    /// <summary>The first element of every run of equal neighbours, in row-major order.</summary>
    public UniqueElements UniqueConsecutive()
    {
        Tensor flat = Detach().Reshape(Count);
        UniqueElements runs = Runs(flat, flat.Unsqueeze(1));
        return runs with { Inverse = runs.Inverse.Reshape(Shape) };
    }

    // Runs of equal slices along the first dimension; rows are the same slices flattened.
    private static UniqueElements Runs(Tensor slices, Tensor rows)
    {
        long n = rows.Shape[0];
        if (n == 0)
        {
            Tensor none = Allocate(rows, [0], DType.Int64);
            return new(slices, none, none);
        }
        Tensor starts = rows.Slice(0, 1, n - 1).Ne(rows.Slice(0, 0, n - 1)).Any(1);
        Tensor inverse = Cat([Allocate(starts, [1]).Filled(0), starts]).CumSum(0);
        Tensor first = TruePlaces(Cat([Allocate(starts, [1]).Filled(1), starts]));
        return new(slices.IndexSelect(0, first), inverse, inverse.BinCount());
    }

    // y with y[order[i]] = this[i].
    private Tensor BackFrom(Tensor order) => Allocate(this, Shape).Filled(0).Scatter(0, order, this);
}
