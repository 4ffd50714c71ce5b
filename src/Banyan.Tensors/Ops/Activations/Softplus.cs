using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). The slope is sigmoid(x).</summary>
    internal readonly struct Softplus : IActivation
    {
        public static string Name => "softplus";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Softplus<S, V>(x);

        // log(1 + e) by Kahan's correction, which keeps the digits of a small e.
        public static double Apply(double x)
        {
            double e = Math.Exp(-Math.Abs(x)), u = 1 + e;
            return Math.Max(x, 0) + (u == 1 ? e : Math.Log(u) * e / (u - 1));
        }

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Sigmoid<S, V>(x);

        public static double Slope(double x) => 1 / (1 + Math.Exp(-x));

        public static Tensor Slope(Tensor x) => x.Sigmoid();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>log(1 + e^x): a smooth <see cref="Relu"/>.</summary>
        public Tensor Softplus() => Ops.Activation<Ops.Softplus>.Apply(this);

        /// <summary>log(1 + e^(beta x)) / beta, and x itself where beta x exceeds the threshold.</summary>
        /// <param name="beta">Sharpness.</param>
        /// <param name="threshold">Where the function continues as x. PyTorch's default is 20.</param>
        public Tensor Softplus(double beta, double threshold = 20) => Where(this * beta > threshold, this, (this * beta).Softplus() / beta);

        /// <summary>log(sigmoid(x)) = -softplus(-x).</summary>
        public Tensor LogSigmoid() => -(-this).Softplus();
    }
}
