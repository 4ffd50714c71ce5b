using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>max(x, 0); the slope at 0 is 0.</summary>
    internal readonly struct Relu : IActivation
    {
        public static string Name => "relu";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Max(x, S.Zero);

        public static double Apply(double x) => Math.Max(x, 0);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.And(S.Less(S.Zero, x), S.Splat(1f));

        public static double Slope(double x) => x > 0 ? 1 : 0;

        public static Tensor Slope(Tensor x) => (x.Detach() > 0).To(x.DType);
    }

    /// <summary>max(x, 0)^2 (So et al. 2021, Primer). The slope is 2 max(x, 0).</summary>
    internal readonly struct ReluSquared : IActivation
    {
        public static string Name => "relu_squared";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct
        {
            V r = S.Max(x, S.Zero);
            return S.Mul(r, r);
        }

        public static double Apply(double x) => Math.Max(x, 0) * Math.Max(x, 0);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Mul(S.Splat(2f), S.Max(x, S.Zero));

        public static double Slope(double x) => 2 * Math.Max(x, 0);

        public static Tensor Slope(Tensor x) => x.Relu() * 2;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>max(x, 0).</summary>
        public Tensor Relu() => Ops.Activation<Ops.Relu>.Apply(this);

        /// <summary>max(x, 0)^2.</summary>
        public Tensor ReluSquared() => Ops.Activation<Ops.ReluSquared>.Apply(this);
    }
}
