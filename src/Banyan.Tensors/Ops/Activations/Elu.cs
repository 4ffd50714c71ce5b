namespace Banyan;

public sealed partial class Tensor
{
    private const double SeluScale = 1.0507009873554804934193349852946, SeluAlpha = 1.6732632423543772848170429916717;

    /// <summary>x where positive, else alpha (e^x - 1) (Clevert et al. 2015).</summary>
    public Tensor Elu(double alpha = 1) => Where(this > 0, this, NegativePart().Expm1() * alpha);

    /// <summary>Scaled <see cref="Elu"/> whose constants keep mean 0 and variance 1 (Klambauer et al. 2017).</summary>
    public Tensor Selu() => Elu(SeluAlpha) * SeluScale;

    /// <summary>x where positive, else alpha (e^(x / alpha) - 1): continuous in its slope for every alpha (Barron 2017).</summary>
    public Tensor Celu(double alpha = 1) => Where(this > 0, this, (NegativePart() / alpha).Expm1() * alpha);

    // The exponential is not taken of the positive part: infinity there would turn the unused branch's gradient into NaN.
    private Tensor NegativePart() => Clamp(max: 0);
}
