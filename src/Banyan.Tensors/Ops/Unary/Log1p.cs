using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = ln(1 + x), exact near 0. dx = dy / (1 + x).</summary>
    internal readonly struct Log1p : IActivation
    {
        public static string Name => "log1p";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Log1p<S, V>(x);

        public static double Apply(double x)
        {
            // Kahan: the rounding of 1 + x cancels in the quotient.
            double u = 1 + x;
            return u == 1 || double.IsInfinity(u) ? Math.Abs(x) < 1 ? x : Math.Log(u) : Math.Log(u) * x / (u - 1);
        }

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Splat(1f), S.Add(x, S.Splat(1f)));

        public static double Slope(double x) => 1 / (1 + x);

        public static Tensor Slope(Tensor x) => (x + 1).Reciprocal();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>ln(1 + x) of every element, exact near 0.</summary>
        public Tensor Log1p() => Ops.Activation<Ops.Log1p>.Apply(this);
    }
}
