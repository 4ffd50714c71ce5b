namespace Banyan.Ops
{
    // tan' = 1 + tan^2, asin' = 1 / sqrt(1 - x^2), acos' = -asin', atan' = 1 / (1 + x^2).
    internal readonly struct Tan : IRareFunction
    {
        public static string Name => "tan";

        public static double Apply(double x) => Math.Tan(x);

        public static Tensor Slope(Tensor x) => x.Tan().Square() + 1;
    }

    internal readonly struct Asin : IRareFunction
    {
        public static string Name => "asin";

        public static double Apply(double x) => Math.Asin(x);

        public static Tensor Slope(Tensor x) => (1 - x.Square()).Rsqrt();
    }

    internal readonly struct Acos : IRareFunction
    {
        public static string Name => "acos";

        public static double Apply(double x) => Math.Acos(x);

        public static Tensor Slope(Tensor x) => -(1 - x.Square()).Rsqrt();
    }

    internal readonly struct Atan : IRareFunction
    {
        public static string Name => "atan";

        public static double Apply(double x) => Math.Atan(x);

        public static Tensor Slope(Tensor x) => (x.Square() + 1).Reciprocal();
    }

    /// <summary>sin(pi x) / (pi x), 1 at 0. The slope is (cos(pi x) - sinc(x)) / x, 0 at 0.</summary>
    internal readonly struct Sinc : IRareFunction
    {
        public static string Name => "sinc";

        public static double Apply(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

        public static Tensor Slope(Tensor x) => (((x * Math.PI).Cos() - x.Sinc()) / x).MaskedFill(x.Eq(0), 0);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The tangent of every element.</summary>
        public Tensor Tan() => Ops.RareFunction<Ops.Tan>.Apply(this);

        /// <summary>The arcsine of every element, in radians.</summary>
        public Tensor Asin() => Ops.RareFunction<Ops.Asin>.Apply(this);

        /// <summary>The arccosine of every element, in radians.</summary>
        public Tensor Acos() => Ops.RareFunction<Ops.Acos>.Apply(this);

        /// <summary>The arctangent of every element, in radians.</summary>
        public Tensor Atan() => Ops.RareFunction<Ops.Atan>.Apply(this);

        /// <summary>sin(pi x) / (pi x) of every element, 1 at 0.</summary>
        public Tensor Sinc() => Ops.RareFunction<Ops.Sinc>.Apply(this);
    }
}
