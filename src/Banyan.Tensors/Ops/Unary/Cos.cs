using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = cos x. dx = -dy sin x.</summary>
    internal readonly struct Cos : IActivation
    {
        public static string Name => "cos";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Cos<S, V>(x);

        public static double Apply(double x) => Math.Cos(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Neg(VectorMath.Sin<S, V>(x));

        public static double Slope(double x) => -Math.Sin(x);

        public static Tensor Slope(Tensor x) => -x.Sin();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The cosine of every element.</summary>
        public Tensor Cos() => Ops.Activation<Ops.Cos>.Apply(this);
    }
}
