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
            CheckIndex("gather", x, axis, index);
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(x, index), index.Shape, x.DType, x.Device);
            GatherLoop.Run(x, Elementwise.Convert(index, DType.Int64), y, axis);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Gather(axis), [x, index], y);
            }
            return y;
        }

        /// <summary>An index has x's number of dimensions, and no dimension but the indexed one is larger than x's.</summary>
        internal static void CheckIndex(string name, Tensor x, int axis, Tensor index)
        {
            bool fits = index.Rank == x.Rank && !index.DType.IsFloat;
            for (int d = 0; d < x.Rank && fits; d++)
            {
                fits = d == axis || index.Shape[d] <= x.Shape[d];
            }
            if (!fits)
            {
                throw new ArgumentException($"{name}: the index {index} does not fit {x}: besides dimension {axis} it may be no larger, and holds integers");
            }
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0);
            c.Grad(0, ScatterAdd.Apply(c.Scope.Zeros(x.Shape, x.DType), _dim, c.Input(1), c.GradOutput()));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The elements at <paramref name="index"/> (int64) along one dimension; the result has the index's shape.</summary>
        /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
        public Tensor Gather(int dim, Tensor index) => Ops.Gather.Apply(this, dim, index);

        /// <summary>Gather whose index broadcasts with this tensor in the other dimensions (PyTorch's take_along_dim).</summary>
        public Tensor TakeAlongDim(Tensor index, int dim)
        {
            int axis = Shape.Axis(dim);
            Shape all = Shape.Broadcast(Shape.With(axis, 1), index.Shape.With(axis, 1));
            return Expand(all.With(axis, Shape[axis])).Gather(axis, index.Expand(all.With(axis, index.Shape[axis])));
        }

        /// <summary>The elements at <paramref name="index"/> (any shape) of this tensor read as one row; negative indices count from the end.</summary>
        public Tensor Take(Tensor index) => Reshape(Count).IndexSelect(0, index.Reshape(index.Count).FromEnd(Count)).Reshape(index.Shape);

        // Negative indices moved up by the size.
        private Tensor FromEnd(long size)
        {
            Tensor i = Elementwise.Convert(this, DType.Int64);
            return Where(i < 0, i + i.Number(size), i);
        }
    }
}
