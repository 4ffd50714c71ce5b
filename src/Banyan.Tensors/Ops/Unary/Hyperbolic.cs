namespace Banyan.Ops
{
    // sinh' = cosh, cosh' = sinh, asinh' = 1 / sqrt(x^2 + 1), acosh' = 1 / sqrt(x^2 - 1), atanh' = 1 / (1 - x^2). (tanh: Tanh.cs)
    internal readonly struct Sinh : IRareFunction
    {
        public static string Name => "sinh";

        public static double Apply(double x) => Math.Sinh(x);

        public static Tensor Slope(Tensor x) => x.Cosh();
    }

    internal readonly struct Cosh : IRareFunction
    {
        public static string Name => "cosh";

        public static double Apply(double x) => Math.Cosh(x);

        public static Tensor Slope(Tensor x) => x.Sinh();
    }

    internal readonly struct Asinh : IRareFunction
    {
        public static string Name => "asinh";

        public static double Apply(double x) => Math.Asinh(x);

        public static Tensor Slope(Tensor x) => (x.Square() + 1).Rsqrt();
    }

    internal readonly struct Acosh : IRareFunction
    {
        public static string Name => "acosh";

        public static double Apply(double x) => Math.Acosh(x);

        public static Tensor Slope(Tensor x) => (x.Square() - 1).Rsqrt();
    }

    internal readonly struct Atanh : IRareFunction
    {
        public static string Name => "atanh";

        public static double Apply(double x) => Math.Atanh(x);

        public static Tensor Slope(Tensor x) => (1 - x.Square()).Reciprocal();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The hyperbolic sine of every element.</summary>
        public Tensor Sinh() => Ops.RareFunction<Ops.Sinh>.Apply(this);

        /// <summary>The hyperbolic cosine of every element.</summary>
        public Tensor Cosh() => Ops.RareFunction<Ops.Cosh>.Apply(this);

        /// <summary>The inverse hyperbolic sine of every element.</summary>
        public Tensor Asinh() => Ops.RareFunction<Ops.Asinh>.Apply(this);

        /// <summary>The inverse hyperbolic cosine of every element.</summary>
        public Tensor Acosh() => Ops.RareFunction<Ops.Acosh>.Apply(this);

        /// <summary>The inverse hyperbolic tangent of every element.</summary>
        public Tensor Atanh() => Ops.RareFunction<Ops.Atanh>.Apply(this);
    }
}
