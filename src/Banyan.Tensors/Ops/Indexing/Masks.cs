using Banyan.Cpu;

namespace Banyan;

// Elements chosen by a mask. How many there are depends on the data, so none of this has a dry run.
public sealed partial class Tensor
{
    /// <summary>The coordinates of the elements that are not 0, one in each row: (n, rank), int64, in row-major order.</summary>
    public Tensor Nonzero()
    {
        Tensor places = TruePlaces(Ne(0));
        if (Rank == 0)
        {
            return Allocate(places, [places.Count, 0]);
        }
        var columns = new Tensor[Rank];
        Shape steps = Shape.RowMajorStrides();
        for (int d = 0; d < Rank; d++)
        {
            columns[d] = places.FloorDivide(places.Number(steps[d])).Remainder(places.Number(Math.Max(Shape[d], 1)));
        }
        return Stack(columns, dim: 1);
    }

    /// <summary>The elements where the mask holds, in row-major order; the two broadcast.</summary>
    public Tensor MaskedSelect(Tensor mask)
    {
        Shape shape = Shape.Broadcast(Shape, mask.Shape);
        return Expand(shape).Reshape(shape.Count).IndexSelect(0, TruePlaces(mask.Expand(shape)));
    }

    /// <summary>A copy with the first elements of <paramref name="source"/> put where the mask (broadcast to this tensor) holds.</summary>
    /// <exception cref="ArgumentException">The source has too few elements.</exception>
    public Tensor MaskedScatter(Tensor mask, Tensor source)
    {
        Tensor places = TruePlaces(mask.Expand(Shape));
        if (source.Count < places.Count)
        {
            throw new ArgumentException($"masked_scatter: the mask chooses {places.Count} elements, the source has {source.Count}");
        }
        return Reshape(Count).Scatter(0, places, source.Reshape(source.Count).Slice(0, 0, places.Count)).Reshape(Shape);
    }

    private static Tensor TruePlaces(Tensor mask)
    {
        mask.CheckReadable();
        Tensor dense = Elementwise.Convert(mask, DType.Bool).Contiguous();
        Tensor places = Allocate(mask, [NonzeroLoop.Count(dense)], DType.Int64);
        NonzeroLoop.Run(dense, places);
        return places;
    }
}
