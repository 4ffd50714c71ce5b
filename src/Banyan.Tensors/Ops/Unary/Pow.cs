using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = x^p with a number p. dx = dy p x^(p - 1).</summary>
    public sealed class Pow : Op
    {
        private readonly double _p;

        private Pow(double p) => _p = p;

        /// <inheritdoc/>
        public override string Name => "pow";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Every element to the power of p.</summary>
        public static Tensor Apply(Tensor x, double p)
        {
            Tensor y = x.Detach().To(DType.Float64);
            double[] values = y.ToDoubles();
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = Math.Pow(values[i], p);
            }
            y = Tensor.Allocate(x, x.Shape, DType.Float64);
            y.CopyFrom<double>(values);
            y = Elementwise.Convert(y, x.DType);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Pow(p), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput() * c.Input(0).Pow(_p - 1) * _p);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Every element to the power of <paramref name="p"/>.</summary>
        public Tensor Pow(double p) => Ops.Pow.Apply(this, p);
    }
}
