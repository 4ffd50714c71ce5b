using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = a - b, broadcast. da = dy, db = -dy, each summed over the dimensions that were broadcast.</summary>
    public sealed class Sub : Op
    {
        /// <inheritdoc/>
        public override string Name => "sub";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The difference in the promoted type.</summary>
        public static Tensor Apply(Tensor a, Tensor b)
        {
            Tensor y = Elementwise.Binary<Kernel>(a, b);
            if (Tape.Needs(y.Scope, a, b))
            {
                y.Scope!.Tape!.Record(new Sub(), [a, b], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor a = c.Input(0), b = c.Input(1), dy = c.GradOutput();
            if (c.Needs(0))
            {
                c.Grad(0, dy.SumTo(a));
            }
            if (c.Needs(1))
            {
                c.Grad(1, -dy.SumTo(b));
            }
        }

        internal readonly struct Kernel : IBinary
        {
            public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Sub(a, b);

            public static double Apply(double a, double b) => a - b;

            public static long Apply(long a, long b) => a - b;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Elementwise difference with broadcasting.</summary>
        public static Tensor operator -(Tensor a, Tensor b) => Ops.Sub.Apply(a, b);
    }
}
