using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>A view of the diagonal of two dimensions, which moves to the end. dx is dy on the diagonal of zeros.</summary>
    public sealed class Diagonal : Op
    {
        private readonly int _offset, _dim1, _dim2;

        private Diagonal(int offset, int dim1, int dim2) => (_offset, _dim1, _dim2) = (offset, dim1, dim2);

        /// <inheritdoc/>
        public override string Name => "diagonal";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Element i is x[i, i + offset] of the two dimensions.</summary>
        public static Tensor Apply(Tensor x, int offset, int dim1, int dim2)
        {
            int a = x.Shape.Axis(dim1), b = x.Shape.Axis(dim2);
            Tensor y = Of(x, offset, a, b);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Diagonal(offset, a, b), [x], y);
            }
            return y;
        }

        internal static Tensor Of(Tensor x, int offset, int a, int b)
        {
            if (a == b)
            {
                throw new ArgumentException($"diagonal: dimension {a} is named twice");
            }
            long row = Math.Max(-offset, 0), column = Math.Max(offset, 0);
            long length = Math.Max(0, Math.Min(x.Shape[a] - row, x.Shape[b] - column));
            (int low, int high) = (Math.Min(a, b), Math.Max(a, b));
            Shape sizes = x.Shape.Without(high).Without(low).Insert(-1, length);
            Shape strides = x.Strides.Without(high).Without(low).Insert(-1, x.Strides[a] + x.Strides[b]);
            return x.AsView(sizes, strides, length == 0 ? x.Body.Offset : x.Body.Offset + row * x.Strides[a] + column * x.Strides[b]);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, DiagonalPad.Apply(c.GradOutput(), c.Input(0).Shape, _offset, _dim1, _dim2));
    }

    /// <summary>The adjoint of <see cref="Diagonal"/>: x on the diagonal of zeros. dx is the diagonal of dy.</summary>
    public sealed class DiagonalPad : Op
    {
        private readonly int _offset, _dim1, _dim2;

        private DiagonalPad(int offset, int dim1, int dim2) => (_offset, _dim1, _dim2) = (offset, dim1, dim2);

        /// <inheritdoc/>
        public override string Name => "diagonal_pad";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Zeros of <paramref name="shape"/> with x on a diagonal.</summary>
        public static Tensor Apply(Tensor x, in Shape shape, int offset, int dim1, int dim2)
        {
            Tensor y = Tensor.Allocate(x, shape);
            y.Fill(0);
            Diagonal.Of(y, offset, dim1, dim2).CopyFrom(x);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new DiagonalPad(offset, dim1, dim2), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, Diagonal.Apply(c.GradOutput(), _offset, _dim1, _dim2));
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>A view of a diagonal of two dimensions: element i is [i, i + offset]; the new dimension is the last.</summary>
        public Tensor Diagonal(int offset = 0, int dim1 = 0, int dim2 = 1) => Ops.Diagonal.Apply(this, offset, dim1, dim2);
    }
}
