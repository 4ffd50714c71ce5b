using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = e^x. dx = dy * y.</summary>
    public sealed class Exp : Op
    {
        /// <inheritdoc/>
        public override string Name => "exp";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <summary>e to the power of every element.</summary>
        public static Tensor Apply(Tensor x)
        {
            Tensor y = Elementwise.Unary<Kernel>(x);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Exp(), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput() * c.Output(0));

        private readonly struct Kernel : IUnary
        {
            public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Exp<S, V>(x);

            public static double Apply(double x) => Math.Exp(x);
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>e to the power of every element.</summary>
        public Tensor Exp() => Ops.Exp.Apply(this);
    }
}
