using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = x with source put at the indices along one dimension. dx = dy, 0 at the indices; dsource = dy at the indices.</summary>
    public sealed class Scatter : Op
    {
        private readonly int _dim;

        private Scatter(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "scatter";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 2;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>A copy of x with the source put in; of several for one element the last stays.</summary>
        public static Tensor Apply(Tensor x, int dim, Tensor index, Tensor source)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = Run<ScatterReplace>("scatter", x, axis, index, source);
            if (Tape.Needs(y.Scope, x, source))
            {
                y.Scope!.Tape!.Record(new Scatter(axis), [x, index, source], y);
            }
            return y;
        }

        /// <summary>A copy of x with the source combined into it at the indices; not recorded.</summary>
        internal static Tensor Run<F>(string name, Tensor x, int axis, Tensor index, Tensor source) where F : struct, IScatter
        {
            Gather.CheckIndex(name, x, axis, index);
            if (source.Shape != index.Shape)
            {
                throw new ArgumentException($"{name}: the index is {index.Shape}, the source {source.Shape}; they need one shape");
            }
            DType compute = Promotion.ComputeType(x.DType);
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(x, source, index), x.Shape, compute, x.Device);
            y.CopyFrom(x);
            ScatterLoop<F>.Run(y, Elementwise.Convert(index, DType.Int64), Elementwise.Convert(source, compute), axis);
            return Elementwise.Convert(y, x.DType);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            c.Grad(0, c.GradOutput().Scatter(_dim, c.Input(1), 0));
            if (c.Needs(2))
            {
                c.Grad(2, c.GradOutput().Gather(_dim, c.Input(1)).To(c.Input(2).DType));
            }
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

        /// <summary>A copy of x with the source added, in the source's order.</summary>
        public static Tensor Apply(Tensor x, int dim, Tensor index, Tensor source)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = Scatter.Run<ScatterSum>("scatter_add", x, axis, index, source);
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
                c.Grad(2, c.GradOutput().Gather(_dim, c.Input(1)).To(c.Input(2).DType));
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>
        /// A copy with <paramref name="source"/> (of the index's shape) put at <paramref name="index"/> along one dimension. Where several meet, the last
        /// stays, and the gradient reaches all of them.
        /// </summary>
        /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
        public Tensor Scatter(int dim, Tensor index, Tensor source) => Ops.Scatter.Apply(this, dim, index, source);

        /// <summary>A copy with a number put at <paramref name="index"/> along one dimension.</summary>
        /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
        public Tensor Scatter(int dim, Tensor index, double value) => Ops.Scatter.Apply(this, dim, index, Number(value).Expand(index.Shape));

        /// <summary>A copy with <paramref name="source"/> added at <paramref name="index"/> along one dimension.</summary>
        /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
        public Tensor ScatterAdd(int dim, Tensor index, Tensor source) => Ops.ScatterAdd.Apply(this, dim, index, source);
    }
}
