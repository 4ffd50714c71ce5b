using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = tanh x. dx = dy (1 - y^2).</summary>
    internal readonly struct Tanh : IActivation
    {
        public static string Name => "tanh";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Tanh<S, V>(x);

        public static double Apply(double x) => Math.Tanh(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Fma(S.Neg(VectorMath.Tanh<S, V>(x)), VectorMath.Tanh<S, V>(x), S.Splat(1f));

        public static double Slope(double x) => 1 - Math.Tanh(x) * Math.Tanh(x);

        public static Tensor Slope(Tensor x) => 1 - x.Tanh() * x.Tanh();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The hyperbolic tangent of every element.</summary>
        public Tensor Tanh() => Ops.Activation<Ops.Tanh>.Apply(this);
    }
}
