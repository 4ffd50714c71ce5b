namespace Banyan.Nn;

/// <summary>
/// A linear layer whose weight is g v / |v|, length and direction apart (Salimans and Kingma 2016, arXiv:1602.07868): what torch.nn's
/// parametrizations.weight_norm makes of Linear. Parameters: <c>bias</c> (out), <c>parametrizations.weight.original0</c>, which is g (out, 1), and
/// <c>parametrizations.weight.original1</c>, which is v (out, in).
/// </summary>
public sealed class WeightNormLinear : Module
{
    /// <summary>A layer.</summary>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="bias">Whether there is a bias. Default: true.</param>
    public WeightNormLinear(long inFeatures, long outFeatures, bool bias = true)
    {
        double bound = 1 / Math.Sqrt(Math.Max(inFeatures, 1));
        Bias = bias ? Add("bias", [outFeatures], Initializer.Uniform(bound)) : null;
        // The expected length of such a v, so that the first weight is about v.
        Length = Add("parametrizations.weight.original0", [outFeatures, 1], Initializer.Constant(bound * Math.Sqrt(inFeatures / 3.0)));
        Direction = Add("parametrizations.weight.original1", [outFeatures, inFeatures], Initializer.Uniform(bound));
    }

    /// <summary>(out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>g (out, 1).</summary>
    public Parameter Length { get; }

    /// <summary>v (out, in).</summary>
    public Parameter Direction { get; }

    /// <summary>x (..., in) to (..., out).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor weight = pass.Scope.Use(Direction).WeightNorm(pass.Scope.Use(Length));
        return pass.Visit(this, Ops.Linear.Apply(x, weight, Bias?.Value, false));
    }
}
