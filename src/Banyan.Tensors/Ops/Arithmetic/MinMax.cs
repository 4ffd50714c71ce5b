using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>The larger of both, NaN if one is. dy goes to the larger one, half to each of equals.</summary>
    internal readonly struct Maximum : IBinaryFunction
    {
        public static string Name => "maximum";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Max(a, b);

        public static double Apply(double a, double b) => Math.Max(a, b);

        public static long Apply(long a, long b) => Math.Max(a, b);

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => Share(a, b, dy).MaskedFill(a < b, 0);

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => Share(a, b, dy).MaskedFill(b < a, 0);

        internal static Tensor Share(Tensor a, Tensor b, Tensor dy) => Tensor.Where(a.Eq(b), dy * 0.5, dy);
    }

    /// <summary>The smaller of both, NaN if one is. dy goes to the smaller one, half to each of equals.</summary>
    internal readonly struct Minimum : IBinaryFunction
    {
        public static string Name => "minimum";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Min(a, b);

        public static double Apply(double a, double b) => Math.Min(a, b);

        public static long Apply(long a, long b) => Math.Min(a, b);

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => Maximum.Share(a, b, dy).MaskedFill(a > b, 0);

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => Maximum.Share(a, b, dy).MaskedFill(b > a, 0);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The larger of two elements; NaN wins. Equals share the gradient.</summary>
        public static Tensor Maximum(Tensor a, Tensor b) => Ops.BinaryFunction<Ops.Maximum>.Apply(a, b);

        /// <summary>The smaller of two elements; NaN wins. Equals share the gradient.</summary>
        public static Tensor Minimum(Tensor a, Tensor b) => Ops.BinaryFunction<Ops.Minimum>.Apply(a, b);

        /// <summary>The larger of two elements; a number wins over NaN.</summary>
        public static Tensor FMax(Tensor a, Tensor b) => Where(b.IsNaN(), a, Where(a.IsNaN(), b, Maximum(a, b)));

        /// <summary>The smaller of two elements; a number wins over NaN.</summary>
        public static Tensor FMin(Tensor a, Tensor b) => Where(b.IsNaN(), a, Where(a.IsNaN(), b, Minimum(a, b)));
    }
}
