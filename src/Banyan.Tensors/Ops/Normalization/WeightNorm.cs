namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>Weight normalisation (Salimans and Kingma 2016): g * v / |v|, the norm over all dimensions but the first. This is v.</summary>
    /// <param name="g">The length of each row: (out), or (out, 1, ...).</param>
    public Tensor WeightNorm(Tensor g)
    {
        Tensor rows = Reshape(Shape[0], -1);
        Tensor length = (rows * rows).Sum(1, keepDim: true).Sqrt();
        return (rows * (g.InScopeOf(this).Reshape(-1, 1) / length)).Reshape(Shape);
    }
}
