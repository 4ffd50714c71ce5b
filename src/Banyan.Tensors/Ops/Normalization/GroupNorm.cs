namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// Group normalisation (Wu and He 2018) of this (N, C, ...): each of <paramref name="numGroups"/> groups of channels has mean 0 and
    /// variance 1, then weight and bias per channel.
    /// </summary>
    /// <param name="numGroups">A divisor of C; 1 normalises all channels together.</param>
    /// <param name="weight">(C), or null.</param>
    /// <param name="bias">(C), or null.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <exception cref="ArgumentException">The channels do not split into the groups.</exception>
    public Tensor GroupNorm(int numGroups, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
    {
        if (Rank < 2 || numGroups < 1 || Shape[1] % numGroups != 0)
        {
            throw new ArgumentException($"group_norm: the channels of {Shape} (dimension 1) do not split into {numGroups} groups");
        }
        Tensor y = Reshape(Shape[0], numGroups, Count / Math.Max(Shape[0] * numGroups, 1)).LayerNorm(eps: eps).Reshape(Shape);
        return y.ScaleChannels(weight, bias);
    }

    /// <summary>Instance normalisation (Ulyanov et al. 2016) of this (N, C, ...): every channel of every sample by itself.</summary>
    /// <param name="weight">(C), or null.</param>
    /// <param name="bias">(C), or null.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    public Tensor InstanceNorm(Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) => GroupNorm((int)Shape[1], weight, bias, eps);

    // this * weight + bias with one number per channel (dimension 1).
    private Tensor ScaleChannels(Tensor? weight, Tensor? bias)
    {
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        sizes.Fill(1);
        sizes[0] = Shape[1];
        ReadOnlySpan<long> channels = sizes[..(Rank - 1)];
        Tensor y = weight is null ? this : this * weight.InScopeOf(this).Reshape(channels);
        return bias is null ? y : y + bias.InScopeOf(this).Reshape(channels);
    }
}
