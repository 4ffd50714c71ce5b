using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>A view that repeats dimensions of size 1 (stride 0). dx sums dy over the repeats.</summary>
    public sealed class Expand : Op
    {
        /// <inheritdoc/>
        public override string Name => "expand";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>x broadcast to <paramref name="shape"/>.</summary>
        public static Tensor Apply(Tensor x, in Shape shape)
        {
            if (Shape.Broadcast(x.Shape, shape) != shape)
            {
                throw new ArgumentException($"expand: {x.Shape} does not broadcast to {shape}");
            }
            Span<long> strides = stackalloc long[Shape.MaxRank];
            strides.Clear();
            for (int i = 1; i <= x.Rank; i++)
            {
                strides[shape.Rank - i] = x.Shape[-i] == 1 ? 0 : x.Strides[-i];
            }
            Tensor y = x.AsView(shape, new Shape(strides[..shape.Rank]), x.Body.Offset);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Expand(), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput().SumTo(c.Input(0)));
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>A view with dimensions of size 1 repeated; nothing is copied.</summary>
        public Tensor Expand(in Shape shape) => Ops.Expand.Apply(this, shape);

        /// <summary>The sum over the dimensions in which <paramref name="like"/> was broadcast to this tensor's shape, in its type.</summary>
        internal Tensor SumTo(Tensor like) => SumTo(like.Shape).To(like.DType);

        internal Tensor SumTo(in Shape shape)
        {
            if (Shape == shape)
            {
                return this;
            }
            Tensor x = this;
            while (x.Rank > shape.Rank)
            {
                x = x.Sum(0, keepDim: false);
            }
            for (int d = 0; d < shape.Rank; d++)
            {
                if (shape[d] == 1 && x.Shape[d] != 1)
                {
                    x = x.Sum(d, keepDim: true);
                }
            }
            return x;
        }
    }
}
