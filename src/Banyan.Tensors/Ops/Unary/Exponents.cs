namespace Banyan.Ops
{
    // Bases other than e: (2^x)' = ln 2 * 2^x, log2' = 1 / (x ln 2), log10' = 1 / (x ln 10). logit = ln(x / (1 - x)), its slope 1 / (x (1 - x)).
    internal readonly struct Exp2 : IRareFunction
    {
        public static string Name => "exp2";

        public static double Apply(double x) => Math.Pow(2, x);

        public static Tensor Slope(Tensor x) => x.Exp2() * Math.Log(2);
    }

    internal readonly struct Log2 : IRareFunction
    {
        public static string Name => "log2";

        public static double Apply(double x) => Math.Log2(x);

        public static Tensor Slope(Tensor x) => (x * Math.Log(2)).Reciprocal();
    }

    internal readonly struct Log10 : IRareFunction
    {
        public static string Name => "log10";

        public static double Apply(double x) => Math.Log10(x);

        public static Tensor Slope(Tensor x) => (x * Math.Log(10)).Reciprocal();
    }

    internal readonly struct Logit : IRareFunction
    {
        public static string Name => "logit";

        public static double Apply(double x) => Math.Log(x / (1 - x));

        public static Tensor Slope(Tensor x) => (x * (1 - x)).Reciprocal();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>2 to the power of every element.</summary>
        public Tensor Exp2() => Ops.RareFunction<Ops.Exp2>.Apply(this);

        /// <summary>The logarithm to base 2 of every element.</summary>
        public Tensor Log2() => Ops.RareFunction<Ops.Log2>.Apply(this);

        /// <summary>The logarithm to base 10 of every element.</summary>
        public Tensor Log10() => Ops.RareFunction<Ops.Log10>.Apply(this);

        /// <summary>ln(x / (1 - x)) of every element: the inverse of <see cref="Sigmoid()"/>.</summary>
        public Tensor Logit() => Ops.RareFunction<Ops.Logit>.Apply(this);
    }
}
