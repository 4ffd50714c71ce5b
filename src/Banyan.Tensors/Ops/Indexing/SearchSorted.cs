using Banyan.Cpu;

namespace Banyan;

// Places in sorted rows: int64, no gradient.
public sealed partial class Tensor
{
    /// <summary>
    /// For every value, how many elements of this sorted tensor (ascending along the last dimension) come before it: where it could be put in.
    /// </summary>
    /// <param name="values">Any shape when this tensor has one dimension; else its leading dimensions.</param>
    /// <param name="right">True puts values after their equals, false in front of them.</param>
    public Tensor SearchSorted(Tensor values, bool right = false)
    {
        if (Rank != 1 && (Rank != values.Rank || Shape.With(-1, 1) != values.Shape.With(-1, 1)))
        {
            throw new ArgumentException($"searchsorted: the sorted tensor is {Shape}, the values {values.Shape}: all but the last dimension must agree");
        }
        DType type = Promotion.ComputeType(Promotion.Of(this, values));
        Tensor y = Allocate(ScopeOf(values, this), values.Shape, DType.Int64, values.Device);
        Tensor rows = Elementwise.Convert(Detach(), type).Contiguous().Reshape(-1, Shape[-1]);
        Tensor wanted = Elementwise.Convert(values.Detach(), type).Contiguous();
        long perRow = Rank == 1 ? values.Count : values.Shape[-1];
        SearchLoop.Run(rows, wanted.Reshape(-1, perRow), y, right);
        return y;
    }

    /// <summary>The bucket of every element between boundaries (ascending): the number of boundaries below it (with <paramref name="right"/>: not above).</summary>
    public Tensor Bucketize(Tensor boundaries, bool right = false) => boundaries.SearchSorted(this, right);

    /// <summary>Where an element is one of <paramref name="elements"/>: bool.</summary>
    public Tensor IsIn(Tensor elements)
    {
        if (elements.Count == 0)
        {
            return Allocate(this, Shape, DType.Bool).Filled(0);
        }
        Tensor sorted = elements.Detach().Reshape(elements.Count).Sort().Values, last = Arange(1).Number(elements.Count - 1);
        return sorted.Take(Minimum(sorted.SearchSorted(this), last)).Eq(this);
    }
}
