using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = a / b, broadcast; integers divide as floats. da = dy / b, db = -dy * a / b^2, summed over broadcast dimensions.</summary>
    public sealed class Div : Op
    {
        /// <inheritdoc/>
        public override string Name => "div";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The quotient; of two integer tensors in float32.</summary>
        public static Tensor Apply(Tensor a, Tensor b)
        {
            bool integers = !a.DType.IsFloat && !b.DType.IsFloat;
            Tensor y = integers
                ? Elementwise.Binary<Kernel>(Elementwise.Convert(a, DType.Float32), Elementwise.Convert(b, DType.Float32))
                : Elementwise.Binary<Kernel>(a, b);
            if (Tape.Needs(y.Scope, a, b))
            {
                y.Scope!.Tape!.Record(new Div(), [a, b], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor a = c.Input(0), b = c.Input(1), dy = c.GradOutput();
            if (c.Needs(0))
            {
                c.Grad(0, (dy / b).SumTo(a));
            }
            if (c.Needs(1))
            {
                c.Grad(1, -(dy * (a / b) / b).SumTo(b));
            }
        }

        internal readonly struct Kernel : IBinary
        {
            public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Div(a, b);

            public static double Apply(double a, double b) => a / b;

            public static long Apply(long a, long b) => throw new NotSupportedException("true division of integers runs in float32");
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Elementwise quotient with broadcasting; integers divide as floats.</summary>
        public static Tensor operator /(Tensor a, Tensor b) => Ops.Div.Apply(a, b);
    }
}
