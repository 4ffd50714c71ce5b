using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>The largest element along one dimension and its first index. dx = dy at that index.</summary>
    public sealed class Max : Op
    {
        private readonly int _dim;

        private Max(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "max";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 2;

        /// <summary>Values and indices with size 1 along the dimension.</summary>
        public static (Tensor Values, Tensor Indices) Apply(Tensor x, int dim)
        {
            int axis = x.Shape.Axis(dim);
            if (x.Shape[axis] == 0)
            {
                throw new ArgumentException($"max: dimension {axis} of {x.Shape} is empty");
            }
            DType compute = Promotion.ComputeType(x.DType);
            Tensor values = Tensor.Allocate(x, x.Shape.With(axis, 1), compute), indices = Tensor.Allocate(x, values.Shape, DType.Int64);
            MaxLoop.Run(Elementwise.Convert(x, compute), values, indices, axis);
            values = Elementwise.Convert(values, x.DType);
            if (Tape.Needs(values.Scope, x))
            {
                values.Scope!.Tape!.Record(new Max(axis), [x], values, indices);
            }
            return (values, indices);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0);
            c.Grad(0, c.Scope.Zeros(x.Shape, x.DType).ScatterAdd(_dim, c.Output(1), c.GradOutput()));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The largest elements along one dimension and their (first) indices, int64. NaN counts as largest.</summary>
        public (Tensor Values, Tensor Indices) Max(int dim, bool keepDim = false)
        {
            (Tensor values, Tensor indices) = Ops.Max.Apply(this, dim);
            return keepDim ? (values, indices) : (values.Squeeze(dim), indices.Squeeze(dim));
        }
    }
}
