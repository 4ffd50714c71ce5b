using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = 1 / sqrt(x). dx = -dy y / (2 x).</summary>
    internal readonly struct Rsqrt : IActivation
    {
        public static string Name => "rsqrt";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Rsqrt<S, V>(x);

        public static double Apply(double x) => 1 / Math.Sqrt(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Mul(S.Splat(-0.5f), VectorMath.Rsqrt<S, V>(x)), x);

        public static double Slope(double x) => -0.5 / (Math.Sqrt(x) * x);

        public static Tensor Slope(Tensor x) => x.Rsqrt() * -0.5 / x;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>1 / sqrt(x) of every element.</summary>
        public Tensor Rsqrt() => Ops.Activation<Ops.Rsqrt>.Apply(this);
    }
}
