namespace Banyan;

// Coordinates of grids, and elements at regular places.
public sealed partial class Tensor
{
    /// <summary>One tensor per vector, in the shape of the grid that they span: the i-th varies along dimension i.</summary>
    /// <param name="tensors">Vectors (one-dimensional).</param>
    /// <param name="xy">True exchanges the first two dimensions, as for images.</param>
    public static Tensor[] Meshgrid(ReadOnlySpan<Tensor> tensors, bool xy = false)
    {
        Span<long> sizes = stackalloc long[tensors.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = tensors[i].Count;
        }
        var grid = new Shape(sizes);
        var axes = new Tensor[tensors.Length];
        for (int i = 0; i < axes.Length; i++)
        {
            sizes.Fill(1);
            sizes[i] = tensors[i].Count;
            axes[i] = tensors[i].Reshape(new Shape(sizes)).Expand(grid);
        }
        return xy && axes.Length > 1 ? Array.ConvertAll(axes, a => a.Transpose(0, 1)) : axes;
    }

    /// <summary>All combinations of the elements of vectors, one in each row; the last varies fastest.</summary>
    public static Tensor CartesianProd(params ReadOnlySpan<Tensor> tensors) =>
        Stack(Array.ConvertAll(Meshgrid(tensors), t => t.Reshape(t.Count)), dim: 1);

    /// <summary>
    /// The elements at offset + i * stride[0] + j * stride[1] + ... of this tensor in row-major order; places may overlap. A copy: where an element was
    /// read several times its gradients add up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A place lies outside.</exception>
    public Tensor AsStrided(in Shape size, in Shape stride, long offset = 0)
    {
        if (size.Rank != stride.Rank)
        {
            throw new ArgumentException($"as_strided: the size {size} and the stride {stride} need one rank");
        }
        Tensor place = From(offset).Reshape(default(Shape));
        for (int d = 0; d < size.Rank; d++)
        {
            long step = stride[d];
            place = place.Unsqueeze(-1) + From(Sequence(size[d], i => i * step), [size[d]]);
        }
        return Take(place);
    }
}
