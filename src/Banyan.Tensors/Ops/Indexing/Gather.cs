using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y[.., i, ..] = x[.., index[.., i, ..], ..] along one dimension. dx = dy added at the indices.</summary>
    public sealed class Gather : Op
    {
        private readonly int _dim;

        private Gather(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "gather";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 2;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The elements at the indices (int64); the result has the index's shape.</summary>
        public static Tensor Apply(Tensor x, int dim, Tensor index)
        {
            int axis = x.Shape.Axis(dim);
            DType compute = Promotion.ComputeType(x.DType);
            Tensor y = Tensor.Allocate(x, index.Shape, compute);
            GatherLoop.Gather(Elementwise.Convert(x, compute), Elementwise.Convert(index, DType.Int64), y, axis);
            y = Elementwise.Convert(y, x.DType);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Gather(axis), [x, index], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0);
            c.Grad(0, ScatterAdd.Apply(c.Scope.Zeros(x.Shape, x.DType), _dim, c.Input(1), c.GradOutput()));
        }
    }

    /// <summary>y = x with source added at the indices along one dimension. dx = dy, dsource = dy at the indices.</summary>
    public sealed class ScatterAdd : Op
    {
        private readonly int _dim;

        private ScatterAdd(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "scatter_add";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 2;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>A copy of x with the source added.</summary>
        public static Tensor Apply(Tensor x, int dim, Tensor index, Tensor source)
        {
            int axis = x.Shape.Axis(dim);
            DType compute = Promotion.ComputeType(x.DType);
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(x, source), x.Shape, compute, x.Device);
            y.CopyFrom(x);
            GatherLoop.ScatterAdd(y, Elementwise.Convert(index, DType.Int64), Elementwise.Convert(source, compute), axis);
            y = Elementwise.Convert(y, x.DType);
            if (Tape.Needs(y.Scope, x, source))
            {
                y.Scope!.Tape!.Record(new ScatterAdd(axis), [x, index, source], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            c.Grad(0, c.GradOutput());
            if (c.Needs(2))
            {
                c.Grad(2, Gather.Apply(c.GradOutput(), _dim, c.Input(1)));
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The elements at <paramref name="index"/> (int64) along one dimension; the result has the index's shape.</summary>
        public Tensor Gather(int dim, Tensor index) => Ops.Gather.Apply(this, dim, index);

        /// <summary>A copy with <paramref name="source"/> added at <paramref name="index"/> along one dimension.</summary>
        public Tensor ScatterAdd(int dim, Tensor index, Tensor source) => Ops.ScatterAdd.Apply(this, dim, index, source);
    }
}
