using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = ln |Gamma(x)|. dx = dy digamma(x).</summary>
    internal readonly struct Lgamma : IRareFunction
    {
        public static string Name => "lgamma";

        public static double Apply(double x) => SpecialFunctions.LogGamma(x);

        public static Tensor Slope(Tensor x) => x.Digamma();
    }

    /// <summary>y = the n-th derivative of digamma at x. dx = dy polygamma(n + 1, x).</summary>
    public sealed class Polygamma : Op
    {
        private readonly int _n;

        private Polygamma(int n) => _n = n;

        /// <inheritdoc/>
        public override string Name => _n == 0 ? "digamma" : "polygamma";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>polygamma(n, x).</summary>
        public static Tensor Apply(int n, Tensor x)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(n);
            double[] values = x.ToDoubles();
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = SpecialFunctions.Polygamma(n, values[i]);
            }
            Tensor y = Tensor.Allocate(x, x.Shape, DType.Float64);
            y.CopyFrom<double>(values);
            y = Elementwise.Convert(y, x.DType.IsFloat ? x.DType : DType.Float32);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Polygamma(n), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput() * Apply(_n + 1, c.Input(0)));
    }

    /// <summary>y = 1 - erf x. dx = -dy 2 / sqrt(pi) e^(-x^2).</summary>
    internal readonly struct Erfc : IRareFunction
    {
        public static string Name => "erfc";

        public static double Apply(double x) => SpecialFunctions.Erfc(x);

        public static Tensor Slope(Tensor x) => (-x.Square()).Exp() * (-2 / Math.Sqrt(Math.PI));
    }

    /// <summary>The inverse of erf. dx = dy sqrt(pi) / 2 e^(y^2).</summary>
    internal readonly struct ErfInv : IRareFunction
    {
        public static string Name => "erfinv";

        public static double Apply(double x) => SpecialFunctions.ErfInv(x);

        public static Tensor Slope(Tensor x) => x.ErfInv().Square().Exp() * (Math.Sqrt(Math.PI) / 2);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>ln |Gamma(x)| of every element.</summary>
        public Tensor Lgamma() => Ops.RareFunction<Ops.Lgamma>.Apply(this);

        /// <summary>The derivative of <see cref="Lgamma"/>.</summary>
        public Tensor Digamma() => Ops.Polygamma.Apply(0, this);

        /// <summary>The n-th derivative of <see cref="Digamma"/>.</summary>
        public Tensor Polygamma(int n) => Ops.Polygamma.Apply(n, this);

        /// <summary>1 - erf(x) of every element, without cancellation.</summary>
        public Tensor Erfc() => Ops.RareFunction<Ops.Erfc>.Apply(this);

        /// <summary>The inverse error function of every element.</summary>
        public Tensor ErfInv() => Ops.RareFunction<Ops.ErfInv>.Apply(this);
    }
}
