namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>Tensors of one shape one after another along a new dimension.</summary>
    /// <exception cref="ArgumentException">A shape or type differs.</exception>
    public static Tensor Stack(ReadOnlySpan<Tensor> tensors, int dim = 0)
    {
        var rows = new Tensor[tensors.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = tensors[i].Unsqueeze(dim);
        }
        return Cat(rows, dim);
    }
}
