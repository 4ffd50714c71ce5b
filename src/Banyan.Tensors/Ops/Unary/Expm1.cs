using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = e^x - 1. dx = dy e^x.</summary>
    internal readonly struct Expm1 : IActivation
    {
        public static string Name => "expm1";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Expm1<S, V>(x);

        public static double Apply(double x) => Math.Abs(x) < 1e-5 ? x + x * x / 2 : Math.Exp(x) - 1;

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Exp<S, V>(x);

        public static double Slope(double x) => Math.Exp(x);

        public static Tensor Slope(Tensor x) => x.Exp();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>e^x - 1 of every element, exact near 0.</summary>
        public Tensor Expm1() => Ops.Activation<Ops.Expm1>.Apply(this);
    }
}
