using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = ln x. dx = dy / x.</summary>
    internal readonly struct Log : IActivation
    {
        public static string Name => "log";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Log<S, V>(x);

        public static double Apply(double x) => Math.Log(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Splat(1f), x);

        public static double Slope(double x) => 1 / x;

        public static Tensor Slope(Tensor x) => x.Pow(-1);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The natural logarithm of every element.</summary>
        public Tensor Log() => Ops.Activation<Ops.Log>.Apply(this);
    }
}
