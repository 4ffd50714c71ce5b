using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = the sum over one dimension. dx = dy repeated along it.</summary>
    public sealed class Sum : Op
    {
        private readonly int _dim;
        private readonly bool _keepDim;

        private Sum(int dim, bool keepDim)
        {
            _dim = dim;
            _keepDim = keepDim;
        }

        /// <inheritdoc/>
        public override string Name => "sum";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The sum over <paramref name="dim"/>; integers sum in int64.</summary>
        public static Tensor Apply(Tensor x, int dim, bool keepDim)
        {
            int axis = x.Shape.Axis(dim);
            DType compute = Promotion.ComputeType(x.DType);
            Tensor wide = Elementwise.Convert(x, compute);
            Tensor y = Tensor.Allocate(x, x.Shape.With(axis, 1), compute);
            SumLoop.Run(wide, y, axis);
            y = Elementwise.Convert(y, x.DType.IsFloat ? x.DType : DType.Int64);
            y = keepDim ? y : y.AsView(x.Shape.Without(axis), y.Strides.Without(axis), y.Body.Offset);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Sum(axis, keepDim), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor dy = c.GradOutput();
            c.Grad(0, (_keepDim ? dy : dy.Unsqueeze(_dim)).Expand(c.Input(0).Shape));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The sum over one dimension.</summary>
        public Tensor Sum(int dim, bool keepDim = false) => Ops.Sum.Apply(this, dim, keepDim);

        /// <summary>The sum of all elements, 0-d.</summary>
        public Tensor Sum() => Rank == 0 ? this : Reshape(Count).Sum(0);

        /// <summary>The mean over one dimension.</summary>
        public Tensor Mean(int dim, bool keepDim = false) => Sum(dim, keepDim) / Shape[dim];

        /// <summary>The mean of all elements, 0-d.</summary>
        public Tensor Mean() => Sum() / Count;
    }
}
