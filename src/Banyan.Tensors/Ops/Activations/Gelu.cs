using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>x P(x), P = the normal distribution function (Hendrycks and Gimpel 2016). The slope is P(x) + x p(x), p = the density.</summary>
    internal readonly struct Gelu : IActivation
    {
        private const double InverseSqrtTwoPi = 0.39894228040143267794;

        public static string Name => "gelu";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.GeluErf<S, V>(x);

        public static double Apply(double x) => x * NormalCdf(x) + (x - x);

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.GeluErfGrad<S, V>(x);

        public static double Slope(double x) => NormalCdf(x) + x * InverseSqrtTwoPi * Math.Exp(-0.5 * x * x);

        public static Tensor Slope(Tensor x) =>
            (x * Math.Sqrt(0.5)).Erf() * 0.5 + 0.5 + x * (x * x * -0.5).Exp() * InverseSqrtTwoPi;

        private static double NormalCdf(double x) => 0.5 * (1 + DoubleErf.Apply(x * Math.Sqrt(0.5)));
    }

    /// <summary>The tanh form: x s(2u), u = sqrt(2 / pi) (x + 0.044715 x^3). The slope is s(2u) + x s(2u) (1 - s(2u)) 2u'.</summary>
    internal readonly struct GeluTanh : IActivation
    {
        private const double Cubic = 0.044715;
        private const double TwoSqrtTwoOverPi = 1.59576912160573071176;

        public static string Name => "gelu_tanh";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.GeluTanh<S, V>(x);

        public static double Apply(double x) => x / (1 + Math.Exp(-TwoSqrtTwoOverPi * (x + Cubic * x * x * x)));

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.GeluTanhGrad<S, V>(x);

        public static double Slope(double x)
        {
            double s = 1 / (1 + Math.Exp(-TwoSqrtTwoOverPi * (x + Cubic * x * x * x)));
            return s + x * s * (1 - s) * TwoSqrtTwoOverPi * (1 + 3 * Cubic * x * x);
        }

        public static Tensor Slope(Tensor x)
        {
            Tensor square = x * x;
            Tensor s = (x * (square * Cubic + 1) * TwoSqrtTwoOverPi).Sigmoid();
            return s + x * s * (1 - s) * (square * (3 * Cubic) + 1) * TwoSqrtTwoOverPi;
        }
    }

    /// <summary>x s(1.702 x) (CLIP). The slope is s + 1.702 x s (1 - s).</summary>
    internal readonly struct QuickGelu : IActivation
    {
        private const double Scale = 1.702;

        public static string Name => "quick_gelu";

        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.QuickGelu<S, V>(x);

        public static double Apply(double x) => x / (1 + Math.Exp(-Scale * x));

        public static V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.QuickGeluGrad<S, V>(x);

        public static double Slope(double x)
        {
            double s = 1 / (1 + Math.Exp(-Scale * x));
            return s * (1 + Scale * x * (1 - s));
        }

        public static Tensor Slope(Tensor x)
        {
            Tensor s = (x * Scale).Sigmoid();
            return s * (x * (1 - s) * Scale + 1);
        }
    }
}

namespace Banyan
{
    /// <summary>The form of <see cref="Tensor.Gelu"/>.</summary>
    public enum GeluForm
    {
        /// <summary>x times the normal distribution function (PyTorch's approximate = none).</summary>
        Erf,

        /// <summary>By tanh, as GPT-2 and Gemma do (PyTorch's approximate = tanh).</summary>
        Tanh,

        /// <summary>x * sigmoid(1.702 x), as CLIP does.</summary>
        Quick,
    }

    public sealed partial class Tensor
    {
        /// <summary>The Gaussian error linear unit.</summary>
        /// <param name="form">Default: exact.</param>
        public Tensor Gelu(GeluForm form = GeluForm.Erf) => form switch
        {
            GeluForm.Erf => Ops.Activation<Ops.Gelu>.Apply(this),
            GeluForm.Tanh => Ops.Activation<Ops.GeluTanh>.Apply(this),
            _ => Ops.Activation<Ops.QuickGelu>.Apply(this),
        };
    }
}
