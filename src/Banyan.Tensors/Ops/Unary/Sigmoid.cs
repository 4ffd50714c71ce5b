using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = 1 / (1 + e^-x). dx = dy y (1 - y).</summary>
    internal readonly struct Sigmoid : IActivation
    {
        public static string Name => "sigmoid";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Sigmoid<S, V>(x);

        public static double Apply(double x) => 1 / (1 + Math.Exp(-x));

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Mul(VectorMath.Sigmoid<S, V>(x), VectorMath.Sigmoid<S, V>(S.Neg(x)));

        public static double Slope(double x) => 1 / (1 + Math.Exp(-x)) / (1 + Math.Exp(x));

        public static Tensor Slope(Tensor x) => x.Sigmoid() * (-x).Sigmoid();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>1 / (1 + e^-x) of every element.</summary>
        public Tensor Sigmoid() => Ops.Activation<Ops.Sigmoid>.Apply(this);
    }
}
