using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>The product over one dimension, which stays with size 1. dx[i] = dy times all other elements: a running product from each side.</summary>
    public sealed class Prod : Op
    {
        private readonly int _dim;

        private Prod(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "prod";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The product; of integers in int64.</summary>
        public static Tensor Apply(Tensor x, int dim)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = ReduceDims.Over<ProductReduction>(x, axis, x.DType.IsFloat ? x.DType : DType.Int64);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Prod(axis), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0);
            Tensor before = x.CumProd(_dim).Shifted(_dim, 1, fill: 1);
            Tensor after = x.Flip([_dim]).CumProd(_dim).Flip([_dim]).Shifted(_dim, -1, fill: 1);
            c.Grad(0, c.GradOutput() * (before * after));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The product over one dimension.</summary>
        public Tensor Prod(int dim, bool keepDim = false) => Drop(Ops.Prod.Apply(this, dim), dim, keepDim);

        /// <summary>The product of all elements, 0-d.</summary>
        public Tensor Prod() => Reshape(Count).Prod(0);
    }
}
