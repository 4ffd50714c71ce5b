using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = 1 / x. dx = -dy / x^2.</summary>
    internal readonly struct Reciprocal : IActivation
    {
        public static string Name => "reciprocal";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Splat(1f), x);

        public static double Apply(double x) => 1 / x;

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Splat(-1f), S.Mul(x, x));

        public static double Slope(double x) => -1 / (x * x);

        public static Tensor Slope(Tensor x) => -x.Square().Reciprocal();
    }

    /// <summary>y = x^2. dx = 2 dy x.</summary>
    internal readonly struct Square : IActivation
    {
        public static string Name => "square";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Mul(x, x);

        public static double Apply(double x) => x * x;

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Add(x, x);

        public static double Slope(double x) => x + x;

        public static Tensor Slope(Tensor x) => x * 2;
    }

    /// <summary>y = -x. dx = -dy.</summary>
    internal readonly struct Neg : IActivation
    {
        public static string Name => "neg";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Neg(x);

        public static double Apply(double x) => -x;

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Splat(-1f);

        public static double Slope(double x) => -1;

        public static Tensor Slope(Tensor x) => x.Number(-1);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>1 / x of every element.</summary>
        public Tensor Reciprocal() => Ops.Activation<Ops.Reciprocal>.Apply(this);

        /// <summary>The square of every element.</summary>
        public Tensor Square() => DType.IsFloat ? Ops.Activation<Ops.Square>.Apply(this) : this * this;

        /// <summary>The negative of every element, of integers too.</summary>
        public Tensor Neg() => DType.IsFloat ? Ops.Activation<Ops.Neg>.Apply(this) : Number(0) - this;
    }
}
