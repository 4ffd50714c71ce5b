using Banyan.Cpu;

namespace Banyan.Ops
{
    // Step functions: their slope is 0, so they are not recorded and no gradient flows through them.

    /// <summary>The largest integer not above x.</summary>
    internal readonly struct Floor : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Floor(x);

        public static double Apply(double x) => Math.Floor(x);
    }

    /// <summary>The smallest integer not below x.</summary>
    internal readonly struct Ceil : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Neg(S.Floor(S.Neg(x)));

        public static double Apply(double x) => Math.Ceiling(x);
    }

    /// <summary>x without its fraction.</summary>
    internal readonly struct Trunc : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Select(S.Less(x, S.Zero), Ceil.Apply<S, V>(x), S.Floor(x));

        public static double Apply(double x) => Math.Truncate(x);
    }

    /// <summary>The nearest integer, ties to even.</summary>
    internal readonly struct Round : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Round(x);

        public static double Apply(double x) => Math.Round(x, MidpointRounding.ToEven);
    }

    /// <summary>1, 0 or -1; of NaN 0, as in PyTorch.</summary>
    internal readonly struct Sign : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => Of<S, V>(x);

        public static V Of<S, V>(V x) where S : struct, ISimd<V> where V : struct =>
            S.Select(S.Less(S.Zero, x), S.Splat(1f), S.And(S.Less(x, S.Zero), S.Splat(-1f)));

        public static double Apply(double x) => x > 0 ? 1 : x < 0 ? -1 : 0;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The largest integers not above the elements. No gradient.</summary>
        public Tensor Floor() => DType.IsFloat ? Elementwise.Unary<Ops.Floor>(this) : this;

        /// <summary>The smallest integers not below the elements. No gradient.</summary>
        public Tensor Ceil() => DType.IsFloat ? Elementwise.Unary<Ops.Ceil>(this) : this;

        /// <summary>The elements without their fractions. No gradient.</summary>
        public Tensor Trunc() => DType.IsFloat ? Elementwise.Unary<Ops.Trunc>(this) : this;

        /// <summary>The fractions: x - trunc(x). dx = dy.</summary>
        public Tensor Frac() => this - Trunc();

        /// <summary>The nearest integers, ties to even. No gradient.</summary>
        public Tensor Round() => DType.IsFloat ? Elementwise.Unary<Ops.Round>(this) : this;

        /// <summary>Rounded to a number of decimal places (negative: tens, hundreds). No gradient.</summary>
        public Tensor Round(int decimals) => (Detach() * Math.Pow(10, decimals)).Round() / Math.Pow(10, decimals);

        /// <summary>1, 0 or -1 for every element. No gradient.</summary>
        public Tensor Sign() => DType.IsFloat ? Elementwise.Unary<Ops.Sign>(this) : (this > 0).To(DType) - (this < 0).To(DType);
    }
}
