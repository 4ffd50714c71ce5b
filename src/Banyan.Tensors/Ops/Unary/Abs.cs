using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = |x|. dx = dy sign(x), 0 at 0.</summary>
    internal readonly struct Abs : IActivation
    {
        public static string Name => "abs";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Abs(x);

        public static double Apply(double x) => Math.Abs(x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => Sign.Of<S, V>(x);

        public static double Slope(double x) => Math.Sign(x);

        public static Tensor Slope(Tensor x) => x.Sign();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The absolute value of every element.</summary>
        public Tensor Abs() => DType.IsFloat ? Ops.Activation<Ops.Abs>.Apply(this) : Maximum(this, -this);
    }
}
