namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>x + sin^2(a x) / a, for periodic signals (Liu et al. 2020).</summary>
    /// <param name="a">The frequency; broadcasts.</param>
    public Tensor Snake(Tensor a)
    {
        Tensor sine = (this * a).Sin();
        return this + sine * sine / a;
    }
}
