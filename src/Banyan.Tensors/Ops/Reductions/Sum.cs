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
            Tensor y = ReduceDims.Over<SumReduction>(x, axis, x.DType.IsFloat ? x.DType : DType.Int64);
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

        /// <summary>The sum over several dimensions; over none of them when the list is empty.</summary>
        public Tensor Sum(ReadOnlySpan<int> dims, bool keepDim = false) => Ops.ReduceDims.OverEach(this, dims, keepDim, static (x, d) => x.Sum(d, keepDim: true));

        /// <summary>The sum of all elements, 0-d.</summary>
        public Tensor Sum() => Rank == 0 ? DType.IsFloat ? this : To(DType.Int64) : Reshape(Count).Sum(0);

        /// <summary>The mean over one dimension.</summary>
        public Tensor Mean(int dim, bool keepDim = false) => Sum(dim, keepDim) / Shape[dim];

        /// <summary>The mean over several dimensions.</summary>
        public Tensor Mean(ReadOnlySpan<int> dims, bool keepDim = false) => Sum(dims, keepDim) / Ops.ReduceDims.CountOver(this, dims);

        /// <summary>The mean of all elements, 0-d.</summary>
        public Tensor Mean() => Sum() / Count;

        /// <summary>The sum over one dimension in which NaN counts as 0.</summary>
        public Tensor NanSum(int dim, bool keepDim = false) => MaskedFill(IsNaN(), 0).Sum(dim, keepDim);

        /// <summary>How many elements along a dimension are not 0: int64.</summary>
        public Tensor CountNonzero(int dim, bool keepDim = false) => Ne(0).Sum(dim, keepDim);

        /// <summary>Where an element along a dimension is not 0.</summary>
        public Tensor Any(int dim, bool keepDim = false) => CountNonzero(dim, keepDim) > 0;

        /// <summary>Whether an element is not 0: a 0-d bool tensor.</summary>
        public Tensor Any() => Ne(0).Sum() > 0;

        /// <summary>Where all elements along a dimension are not 0.</summary>
        public Tensor All(int dim, bool keepDim = false) => ~Eq(0).Any(dim, keepDim);

        /// <summary>Whether all elements are not 0: a 0-d bool tensor.</summary>
        public Tensor All() => ~Eq(0).Any();
    }
}
