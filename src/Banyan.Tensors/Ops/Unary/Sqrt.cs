using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = sqrt(x). dx = dy / (2 y).</summary>
    internal readonly struct Sqrt : IActivation
    {
        public static string Name => "sqrt";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Sqrt(x);

        public static double Apply(double x) => Math.Sqrt(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Splat(0.5f), S.Sqrt(x));

        public static double Slope(double x) => 0.5 / Math.Sqrt(x);

        public static Tensor Slope(Tensor x) => x.Rsqrt() * 0.5;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The square root of every element.</summary>
        public Tensor Sqrt() => Ops.Activation<Ops.Sqrt>.Apply(this);
    }
}
