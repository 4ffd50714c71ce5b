using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = a * b, broadcast. da = dy * b, db = dy * a, each summed over the dimensions that were broadcast.</summary>
    public sealed class Mul : Op
    {
        /// <inheritdoc/>
        public override string Name => "mul";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The product in the promoted type.</summary>
        public static Tensor Apply(Tensor a, Tensor b)
        {
            Tensor y = Elementwise.Binary<Kernel>(a, b);
            if (Tape.Needs(y.Scope, a, b))
            {
                y.Scope!.Tape!.Record(new Mul(), [a, b], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor a = c.Input(0), b = c.Input(1), dy = c.GradOutput();
            if (c.Needs(0))
            {
                c.Grad(0, (dy * b).SumTo(a));
            }
            if (c.Needs(1))
            {
                c.Grad(1, (dy * a).SumTo(b));
            }
        }

        internal readonly struct Kernel : IBinary
        {
            public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Mul(a, b);

            public static double Apply(double a, double b) => a * b;

            public static long Apply(long a, long b) => a * b;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Elementwise product with broadcasting.</summary>
        public static Tensor operator *(Tensor a, Tensor b) => Ops.Mul.Apply(a, b);

        /// <summary>Multiplies this tensor by <paramref name="b"/> (broadcast) in place; not recorded.</summary>
        public Tensor MulInPlace(Tensor b)
        {
            Elementwise.BinaryInPlace<Ops.Mul.Kernel>(this, b);
            return this;
        }
    }
}
