using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>x tanh(softplus(x)) (Misra 2019). With t = tanh(softplus(x)) the slope is t + x (1 - t^2) sigmoid(x).</summary>
    internal readonly struct Mish : IActivation
    {
        public static string Name => "mish";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Mish<S, V>(x);

        public static double Apply(double x) => x * Math.Tanh(Softplus.Apply(x));

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.MishGrad<S, V>(x);

        public static double Slope(double x)
        {
            double t = Math.Tanh(Softplus.Apply(x));
            return t + x * (1 - t * t) / (1 + Math.Exp(-x));
        }

        public static Tensor Slope(Tensor x)
        {
            Tensor t = x.Softplus().Tanh();
            return t + x * (1 - t * t) * x.Sigmoid();
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>x * tanh(softplus(x)).</summary>
        public Tensor Mish() => Ops.Activation<Ops.Mish>.Apply(this);
    }
}
