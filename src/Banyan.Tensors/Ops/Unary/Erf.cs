using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = erf x. dx = dy 2 / sqrt(pi) e^(-x^2).</summary>
    internal readonly struct Erf : IActivation
    {
        public static string Name => "erf";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Erf<S, V>(x);

        public static double Apply(double x) => DoubleErf.Apply(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Mul(S.Splat(1.12837917f), VectorMath.Exp<S, V>(S.Neg(S.Mul(x, x))));

        public static double Slope(double x) => 1.1283791670955126 * Math.Exp(-x * x);

        public static Tensor Slope(Tensor x) => (-(x * x)).Exp() * 1.1283791670955126;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The error function of every element.</summary>
        public Tensor Erf() => Ops.Activation<Ops.Erf>.Apply(this);
    }
}
