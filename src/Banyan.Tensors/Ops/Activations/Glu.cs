namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>The gated linear unit: the first half of a dimension times the sigmoid of the second (Dauphin et al. 2016).</summary>
    /// <exception cref="ArgumentException">The dimension is odd.</exception>
    public Tensor Glu(int dim = -1)
    {
        long size = Shape[dim];
        if (size % 2 != 0)
        {
            throw new ArgumentException($"glu: dimension {dim} of {Shape} must be even");
        }
        return Slice(dim, 0, size / 2) * Slice(dim, size / 2, size / 2).Sigmoid();
    }
}
