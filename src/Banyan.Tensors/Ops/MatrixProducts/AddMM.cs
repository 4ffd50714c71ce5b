namespace Banyan.Ops
{
    /// <summary>y = beta c + alpha a b. beta 0 ignores c, even where it is not a number.</summary>
    public static class AddMM
    {
        /// <summary>The sum; the product is as in <see cref="MatMul"/>, c broadcasts to it.</summary>
        public static Tensor Apply(Tensor c, Tensor a, Tensor b, double beta, double alpha)
        {
            Tensor product = a.MatMul(b);
            product = alpha == 1 ? product : product * alpha;
            return beta == 0 ? product : product + (beta == 1 ? c : c * beta);
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary><paramref name="beta"/> * this + <paramref name="alpha"/> * (a b): PyTorch's addmm, addmv and baddbmm.</summary>
        /// <param name="a">(..., M, K).</param>
        /// <param name="b">(..., K, N), or (K).</param>
        /// <param name="beta">Factor of this tensor; 0 ignores it, even NaN. Default: 1.</param>
        /// <param name="alpha">Factor of the product. Default: 1.</param>
        public Tensor AddMM(Tensor a, Tensor b, double beta = 1, double alpha = 1) => Ops.AddMM.Apply(this, a, b, beta, alpha);
    }
}
