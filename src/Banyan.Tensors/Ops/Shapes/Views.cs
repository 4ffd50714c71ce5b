using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>
    /// A view with other sizes, strides and offset that shows each element at most once: reshape, permute, slice, squeeze. The gradient goes
    /// back through the inverse: it is scattered into zeros of the input's shape by the same view.
    /// </summary>
    public sealed class View : Op
    {
        private readonly string _name;
        private readonly Kind _kind;
        private readonly Shape _shape, _order;
        private readonly int _dim;
        private readonly long _start, _step;

        private enum Kind
        {
            Reshape,
            Permute,
            Slice,
        }

        private View(string name, Kind kind, in Shape shape, in Shape order, int dim, long start, long step)
        {
            _name = name;
            _kind = kind;
            _shape = shape;
            _order = order;
            _dim = dim;
            _start = start;
            _step = step;
        }

        /// <inheritdoc/>
        public override string Name => _name;

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The same elements in row-major order under another shape (copied first when the layout does not allow a view).</summary>
        public static Tensor Reshape(Tensor x, in Shape shape)
        {
            if (shape.Count != x.Count)
            {
                throw new ArgumentException($"reshape: {x.Shape} has {x.Count} elements, {shape} needs {shape.Count}");
            }
            if (shape == x.Shape)
            {
                return x;
            }
            Span<long> strides = stackalloc long[Shape.MaxRank];
            if (TryStrides(x, shape, strides))
            {
                return Record(x, x.AsView(shape, new Shape(strides[..shape.Rank]), x.Body.Offset), "reshape", Kind.Reshape);
            }
            Tensor dense = x.Contiguous();
            return Record(dense, dense.AsView(shape, shape.RowMajorStrides(), dense.Body.Offset), "reshape", Kind.Reshape);
        }

        // The strides under which x's memory shows its elements in row-major order as another shape, if there are any. x falls into runs of
        // dimensions that lie evenly; each must be the product of some of the new sizes.
        private static bool TryStrides(Tensor x, in Shape shape, Span<long> strides)
        {
            int to = shape.Rank - 1, from = x.Rank - 1;
            strides.Fill(1);
            while (from >= 0 && x.Count > 0)
            {
                long step = x.Strides[from], run = x.Shape[from--], part = 1;
                if (run == 1)
                {
                    continue;
                }
                for (; from >= 0 && (x.Shape[from] == 1 || x.Strides[from] == step * run); from--)
                {
                    run *= x.Shape[from];
                }
                for (; part < run; to--)
                {
                    strides[to] = step * part;
                    part *= shape[to];
                }
                if (part != run)
                {
                    return false;
                }
            }
            return true;
        }

        /// <summary>Dimension i of the result is dimension order[i] of x.</summary>
        public static Tensor Permute(Tensor x, in Shape order)
        {
            Span<long> sizes = stackalloc long[Shape.MaxRank], strides = stackalloc long[Shape.MaxRank], inverse = stackalloc long[Shape.MaxRank];
            if (order.Rank != x.Rank)
            {
                throw new ArgumentException($"permute: {order.Rank} dimensions named, {x.Shape} has {x.Rank}");
            }
            inverse.Fill(-1);
            for (int i = 0; i < order.Rank; i++)
            {
                int from = x.Shape.Axis((int)order[i]);
                if (inverse[from] >= 0)
                {
                    throw new ArgumentException($"permute: dimension {from} is named twice in {order}");
                }
                sizes[i] = x.Shape[from];
                strides[i] = x.Strides[from];
                inverse[from] = i;
            }
            Tensor y = x.AsView(new(sizes[..x.Rank]), new(strides[..x.Rank]), x.Body.Offset);
            return Record(x, y, "permute", Kind.Permute, order: new Shape(inverse[..x.Rank]));
        }

        /// <summary>Elements start, start + step, ... (length of them) along one dimension.</summary>
        public static Tensor Slice(Tensor x, int dim, long start, long length, long step = 1)
        {
            int axis = x.Shape.Axis(dim);
            if (start < 0 || length < 0 || step < 1 || (length > 0 && checked(start + (length - 1) * step) >= x.Shape[axis]))
            {
                throw new ArgumentOutOfRangeException(nameof(start), $"slice: {length} elements from {start} by {step} do not lie in dimension {axis} of {x.Shape}");
            }
            Tensor y = x.AsView(x.Shape.With(axis, length), x.Strides.With(axis, x.Strides[axis] * step), x.Body.Offset + start * x.Strides[axis]);
            return Record(x, y, "slice", Kind.Slice, dim: axis, start: start, step: step);
        }

        // The record is made only where a tape takes it: inference makes none.
        private static Tensor Record(Tensor x, Tensor y, string name, Kind kind, in Shape order = default, int dim = 0, long start = 0, long step = 1)
        {
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new View(name, kind, x.Shape, order, dim, start, step), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor dy = c.GradOutput();
            c.Grad(0, _kind switch
            {
                Kind.Reshape => Reshape(dy, _shape),
                Kind.Permute => Permute(dy, _order),
                _ => SlicePad.Apply(dy, _shape, _dim, _start, _step),
            });
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The same elements under another shape; one size may be -1 and is then worked out.</summary>
        /// <exception cref="ArgumentException">The number of elements differs.</exception>
        public Tensor Reshape(params ReadOnlySpan<long> sizes)
        {
            Span<long> known = stackalloc long[Shape.MaxRank];
            sizes.CopyTo(known);
            int open = sizes.IndexOf(-1);
            if (open >= 0)
            {
                long rest = 1;
                for (int i = 0; i < sizes.Length; i++)
                {
                    rest *= i == open ? 1 : sizes[i];
                }
                known[open] = rest == 0 ? 0 : Count / rest;
            }
            return Ops.View.Reshape(this, new Shape(known[..sizes.Length]));
        }

        /// <summary>The same elements under another shape.</summary>
        public Tensor Reshape(in Shape shape) => Ops.View.Reshape(this, shape);

        /// <summary>A view with the dimensions in another order.</summary>
        public Tensor Permute(params ReadOnlySpan<long> order) => Ops.View.Permute(this, new Shape(PositiveOrder(order, stackalloc long[Shape.MaxRank])));

        private ReadOnlySpan<long> PositiveOrder(ReadOnlySpan<long> order, Span<long> buffer)
        {
            for (int i = 0; i < order.Length; i++)
            {
                buffer[i] = Shape.Axis((int)order[i]);
            }
            return buffer[..order.Length];
        }

        /// <summary>A view with two dimensions exchanged.</summary>
        public Tensor Transpose(int dim0, int dim1)
        {
            int a = Shape.Axis(dim0), b = Shape.Axis(dim1);
            Span<long> order = stackalloc long[Shape.MaxRank];
            for (int i = 0; i < Rank; i++)
            {
                order[i] = i == a ? b : i == b ? a : i;
            }
            return Ops.View.Permute(this, new Shape(order[..Rank]));
        }

        /// <summary>A view of <paramref name="length"/> elements from <paramref name="start"/> along one dimension (PyTorch's narrow).</summary>
        public Tensor Slice(int dim, long start, long length, long step = 1) => Ops.View.Slice(this, dim, start, length, step);

        /// <summary>A view at one index of a dimension, which disappears.</summary>
        public Tensor Select(int dim, long index)
        {
            int axis = Shape.Axis(dim);
            long i = index < 0 ? index + Shape[axis] : index;
            return Slice(axis, i, 1).Reshape(Shape.Without(axis));
        }

        /// <summary>A view with a dimension of size 1 put in at <paramref name="dim"/>.</summary>
        public Tensor Unsqueeze(int dim) => Reshape(Shape.Insert(dim, 1));

        /// <summary>A view without the dimension <paramref name="dim"/>, which must have size 1 (else the tensor itself).</summary>
        public Tensor Squeeze(int dim) => Shape[dim] == 1 ? Reshape(Shape.Without(dim)) : this;
    }
}
