using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = x^p with a number p. dx = dy p x^(p - 1), 0 for p = 0.</summary>
    public sealed class Pow : Op
    {
        private readonly double _p;

        private Pow(double p) => _p = p;

        /// <inheritdoc/>
        public override string Name => "pow";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Every element to the power of p; integers stay integers when p is one and not negative.</summary>
        public static Tensor Apply(Tensor x, double p)
        {
            bool integers = !x.DType.IsFloat && p >= 0 && p == Math.Floor(p);
            Tensor source = x.DType.IsFloat || integers ? x : Elementwise.Convert(x, DType.Float32);
            Tensor y = Power(source, p);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Pow(p), [x], y);
            }
            return y;
        }

        // The powers that models use have kernels of their own.
        private static Tensor Power(Tensor x, double p) => !x.DType.IsFloat ? Elementwise.Binary<PowKernel>(x, x.Number(p)) : p switch
        {
            2 => Elementwise.Unary<Square>(x),
            0.5 => Elementwise.Unary<Sqrt>(x),
            -0.5 => Elementwise.Unary<Rsqrt>(x),
            -1 => Elementwise.Unary<Reciprocal>(x),
            _ => Elementwise.Binary<PowKernel>(x, x.Number(p)),
        };

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) =>
            c.Grad(0, _p == 0 ? c.GradOutput() * 0 : _p == 1 ? c.GradOutput() : c.GradOutput() * (c.Input(0).Pow(_p - 1) * _p));
    }

    /// <summary>y = a^b. da = dy b a^(b - 1) (0 for b = 0), db = dy y ln a (0 for a = 0 and b not negative).</summary>
    internal readonly struct PowKernel : IBinaryFunction
    {
        public static string Name => "pow";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => VectorMath.Pow<S, V>(a, b);

        public static double Apply(double a, double b) => Math.Pow(a, b);

        public static long Apply(long a, long b)
        {
            if (b < 0)
            {
                return a == 1 ? 1 : a == -1 ? 1 - 2 * (-b % 2) : 0;
            }
            long y = 1;
            for (; b > 0; b >>= 1, a = unchecked(a * a))
            {
                y = (b & 1) == 1 ? unchecked(y * a) : y;
            }
            return y;
        }

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (b * a.Pow(b - 1)).MaskedFill(b.Eq(0), 0);

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (y * a.Log()).MaskedFill(a.Eq(0) & (b >= 0), 0);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Every element to the power of <paramref name="p"/>.</summary>
        public Tensor Pow(double p) => Ops.Pow.Apply(this, p);

        /// <summary>Every element to the power of the other tensor's, broadcast.</summary>
        public Tensor Pow(Tensor exponent) => Ops.BinaryFunction<Ops.PowKernel>.Apply(this, exponent);

        /// <summary>A number to the power of every element.</summary>
        public static Tensor Pow(double b, Tensor exponent) => (exponent.DType.IsFloat ? exponent.Number(b) : exponent.Number(b).To(DType.Float32)).Pow(exponent);
    }
}
