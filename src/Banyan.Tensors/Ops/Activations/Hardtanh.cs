namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>x limited to [min, max]; unlike <see cref="Clamp(double?, double?)"/> the slope on the limits is 0.</summary>
    public Tensor Hardtanh(double min = -1, double max = 1) => MaskedFill(this <= min, min).MaskedFill(this >= max, max);

    /// <summary>min(max(x, 0), 6).</summary>
    public Tensor Relu6() => Hardtanh(0, 6);

    /// <summary>min(max(x + 3, 0), 6) / 6.</summary>
    public Tensor Hardsigmoid() => (this + 3).Relu6() / 6;

    /// <summary>x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, MobileNetV3).</summary>
    public Tensor Hardswish() => this * (this + 3).Relu6() / 6;
}
