namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>(1 + erf((x - mu) / (sigma sqrt 2))) / 2: the attention function of Mega (Ma et al. 2022), near to relu squared.</summary>
    /// <param name="mu">Default: sqrt(1/2).</param>
    /// <param name="sigma">Default: sqrt(1 / (4 pi)).</param>
    public Tensor Laplace(double mu = 0.707107, double sigma = 0.282095) => ((this - mu) / (sigma * Math.Sqrt(2))).Erf() * 0.5 + 0.5;
}
