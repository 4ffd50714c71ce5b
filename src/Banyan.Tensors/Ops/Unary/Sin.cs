using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = sin x. dx = dy cos x.</summary>
    internal readonly struct Sin : IActivation
    {
        public static string Name => "sin";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Sin<S, V>(x);

        public static double Apply(double x) => Math.Sin(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Cos<S, V>(x);

        public static double Slope(double x) => Math.Cos(x);

        public static Tensor Slope(Tensor x) => x.Cos();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The sine of every element.</summary>
        public Tensor Sin() => Ops.Activation<Ops.Sin>.Apply(this);
    }
}
