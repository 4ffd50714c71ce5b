using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>x s(x) with s = sigmoid, also called swish. The slope is s (1 + x (1 - s)).</summary>
    internal readonly struct Silu : IActivation
    {
        public static string Name => "silu";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Silu<S, V>(x);

        public static double Apply(double x) => x / (1 + Math.Exp(-x));

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.SiluGrad<S, V>(x);

        public static double Slope(double x)
        {
            double s = 1 / (1 + Math.Exp(-x));
            return s * (1 + x * (1 - s));
        }

        public static Tensor Slope(Tensor x)
        {
            Tensor s = x.Sigmoid();
            return s * (x * (1 - s) + 1);
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>x * sigmoid(x), also called swish.</summary>
        public Tensor Silu() => Ops.Activation<Ops.Silu>.Apply(this);
    }
}
