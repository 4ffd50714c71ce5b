using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>ln(e^a + e^b) = max + ln(1 + e^-|a - b|). da = dy sigmoid(a - b), db = dy sigmoid(b - a).</summary>
    internal readonly struct LogAddExp : IBinaryFunction
    {
        public static string Name => "logaddexp";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<LogAddExp, S, V>(a, b);

        public static double Apply(double a, double b) =>
            double.IsInfinity(a) && a == b ? a : Math.Max(a, b) + Log1p.Apply(Math.Exp(-Math.Abs(a - b)));

        public static long Apply(long a, long b) => throw new NotSupportedException("logaddexp of integers runs in float32");

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (a - b).Sigmoid();

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (b - a).Sigmoid();
    }

    /// <summary>a ln b, 0 where a is 0. da = dy ln b (0 where a is 0 and b not positive), db = dy a / b.</summary>
    internal readonly struct Xlogy : IBinaryFunction
    {
        public static string Name => "xlogy";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<Xlogy, S, V>(a, b);

        public static double Apply(double a, double b) => double.IsNaN(b) ? b : a == 0 ? 0 : a * Math.Log(b);

        public static long Apply(long a, long b) => throw new NotSupportedException("xlogy of integers runs in float32");

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * b.Log().MaskedFill(a.Eq(0) & (b <= 0), 0);

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (a / b);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>ln(e^a + e^b), without overflow.</summary>
        public static Tensor LogAddExp(Tensor a, Tensor b) => Ops.BinaryFunction<Ops.LogAddExp>.ApplyAsFloat(a, b);

        /// <summary>a ln b, 0 where a is 0.</summary>
        public static Tensor Xlogy(Tensor a, Tensor b) => Ops.BinaryFunction<Ops.Xlogy>.ApplyAsFloat(a, b);
    }
}
