namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>x where positive, else negativeSlope * x.</summary>
    public Tensor LeakyRelu(double negativeSlope = 0.01) => Where(this > 0, this, this * negativeSlope);

    /// <summary>x where positive, else weight * x, with one weight for all or one per channel (dimension 1) (He et al. 2015).</summary>
    /// <param name="weight">(1) or (C).</param>
    public Tensor PRelu(Tensor weight)
    {
        Tensor scaled = weight.Count == 1 || Rank < 2 ? this * weight : ScaleChannels(weight, null);
        return Where(this > 0, this, scaled);
    }
}
