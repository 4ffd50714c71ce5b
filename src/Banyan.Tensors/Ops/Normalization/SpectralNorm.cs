namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// Spectral normalisation (Miyato et al. 2018) of this weight (out, ...): divided by its largest singular value, which one step of the
    /// power iteration estimates from <paramref name="u"/>. The singular vectors count as constants.
    /// </summary>
    /// <param name="u">(out), the running estimate of the left singular vector; not changed.</param>
    /// <param name="eps">The least length that a vector is divided by. Default: 1e-12.</param>
    public Tensor SpectralNorm(Tensor u, double eps = 1e-12)
    {
        Tensor w = Reshape(Shape[0], -1), fixedW = w.Detach();
        Tensor v = UnitLength(fixedW.Transpose(0, 1).MatMul(u.Detach()), eps);
        Tensor left = UnitLength(fixedW.MatMul(v), eps);
        Tensor sigma = left.MatMul(w.MatMul(v));
        return (w / sigma).Reshape(Shape);
    }

    private static Tensor UnitLength(Tensor x, double eps) => x / (x * x).Sum().Sqrt().Clamp(min: eps);
}
