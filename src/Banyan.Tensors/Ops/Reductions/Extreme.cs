using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>The largest (smallest) element over some dimensions, which stay with size 1. Equals share dy evenly.</summary>
    public sealed class Extreme : Op
    {
        private readonly int[] _dims;
        private readonly bool _isMin;

        private Extreme(int[] dims, bool isMin) => (_dims, _isMin) = (dims, isMin);

        /// <inheritdoc/>
        public override string Name => _isMin ? "amin" : "amax";

        /// <summary>The extreme element; NaN wins.</summary>
        public static Tensor Apply(Tensor x, ReadOnlySpan<int> dims, bool isMin)
        {
            Tensor y = x;
            foreach (int dim in dims)
            {
                int axis = x.Shape.Axis(dim);
                if (x.Shape[axis] == 0)
                {
                    throw new ArgumentException($"{(isMin ? "amin" : "amax")}: dimension {axis} of {x.Shape} is empty");
                }
                y = isMin ? ReduceDims.Over<MinReduction>(y, axis, x.DType) : ReduceDims.Over<MaxReduction>(y, axis, x.DType);
            }
            y = ReferenceEquals(y, x) ? x.Detach() : y;
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Extreme(dims.ToArray(), isMin), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0);
            Tensor chosen = x.Eq(c.Output(0)).To(x.DType);
            c.Grad(0, chosen * (c.GradOutput() / chosen.Sum(_dims, keepDim: true)));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The largest element over some dimensions; NaN wins. Equals share the gradient evenly.</summary>
        public Tensor AMax(ReadOnlySpan<int> dims, bool keepDim = false) => Extreme(dims, keepDim, isMin: false);

        /// <summary>The smallest element over some dimensions; NaN wins. Equals share the gradient evenly.</summary>
        public Tensor AMin(ReadOnlySpan<int> dims, bool keepDim = false) => Extreme(dims, keepDim, isMin: true);

        /// <summary>The largest of all elements, 0-d. Equals share the gradient evenly.</summary>
        public Tensor Max() => AMax(Ops.ReduceDims.AllOf(this));

        /// <summary>The smallest of all elements, 0-d. Equals share the gradient evenly.</summary>
        public Tensor Min() => AMin(Ops.ReduceDims.AllOf(this));

        private Tensor Extreme(ReadOnlySpan<int> dims, bool keepDim, bool isMin)
        {
            Tensor y = Ops.Extreme.Apply(this, dims, isMin);
            return keepDim ? y : Ops.ReduceDims.Drop(y, dims);
        }
    }
}
