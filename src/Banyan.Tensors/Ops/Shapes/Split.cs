using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>
    /// Views that together are the whole of a tensor. One record for all of them: the gradient is their gradients side by side, where each slice for itself
    /// would be padded with zeros and added to the others.
    /// </summary>
    public sealed class Split : Op
    {
        private readonly int _axis;

        private Split(int axis) => _axis = axis;

        /// <inheritdoc/>
        public override string Name => "split";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        internal static Tensor View(Tensor x, int axis, long start, long length) => length < 0
            ? throw new ArgumentOutOfRangeException(nameof(length), length, $"split: a part of {x.Shape} cannot have a negative size")
            : x.AsView(x.Shape.With(axis, length), x.Strides, x.Body.Offset + start * x.Strides[axis]);

        internal static void Record(Tensor x, int axis, params ReadOnlySpan<Tensor> parts)
        {
            if (parts.Length > 0 && Tape.Needs(x.Scope, x))
            {
                x.Scope!.Tape!.Record(new Split(axis), [x], parts);
            }
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            var gradients = new Tensor[c.OutputCount];
            for (int i = 0; i < gradients.Length; i++)
            {
                gradients[i] = c.GradOutput(i);
            }
            c.Grad(0, Cat.Apply(gradients, _axis));
        }
    }
}

namespace Banyan
{
    // Views of parts of one dimension.
    public sealed partial class Tensor
    {
        /// <summary>Views of <paramref name="size"/> elements each along one dimension; the last may be smaller.</summary>
        public Tensor[] Split(long size, int dim = 0)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
            long n = Shape[dim], count = Math.Max(1, (n + size - 1) / size);
            return Parts(dim, count, i => Math.Min(size, n - i * size));
        }

        /// <summary>Views of the given sizes along one dimension; they add up to its size.</summary>
        public Tensor[] Split(long[] sizes, int dim = 0)
        {
            if (sizes.Sum() != Shape[dim])
            {
                throw new ArgumentException($"split: {string.Join(" + ", sizes)} is not the size of dimension {Shape.Axis(dim)} of {Shape}");
            }
            return Parts(dim, sizes.Length, i => sizes[i]);
        }

        /// <summary>At most <paramref name="chunks"/> views of equal size along one dimension; the last may be smaller.</summary>
        public Tensor[] Chunk(long chunks, int dim = 0)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(chunks, 1);
            return Split(Math.Max(1, (Shape[dim] + chunks - 1) / chunks), dim);
        }

        /// <summary>Exactly <paramref name="sections"/> views along one dimension; the first ones are larger by one where it does not divide.</summary>
        public Tensor[] TensorSplit(long sections, int dim = 0)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(sections, 1);
            long n = Shape[dim];
            return Parts(dim, sections, i => n / sections + (i < n % sections ? 1 : 0));
        }

        /// <summary>A view at each index of one dimension, which disappears.</summary>
        public Tensor[] Unbind(int dim = 0)
        {
            int axis = Shape.Axis(dim);
            return Array.ConvertAll(Parts(axis, Shape[axis], _ => 1), t => t.Squeeze(axis));
        }

        /// <summary>Three views along one dimension, whose sizes add up to its size: queries, keys and values of one layer, say. Allocates no array.</summary>
        public (Tensor First, Tensor Second, Tensor Third) Split(int dim, long first, long second, long third)
        {
            int axis = Shape.Axis(dim);
            if (first + second + third != Shape[axis])
            {
                throw new ArgumentException($"split: {first} + {second} + {third} is not the size of dimension {axis} of {Shape}");
            }
            Tensor a = Ops.Split.View(this, axis, 0, first), b = Ops.Split.View(this, axis, first, second), c = Ops.Split.View(this, axis, first + second, third);
            Ops.Split.Record(this, axis, a, b, c);
            return (a, b, c);
        }

        private Tensor[] Parts(int dim, long count, Func<long, long> size)
        {
            int axis = Shape.Axis(dim);
            var parts = new Tensor[count];
            long start = 0;
            for (long i = 0; i < count; i++)
            {
                parts[i] = Ops.Split.View(this, axis, start, size(i));
                start += size(i);
            }
            Ops.Split.Record(this, axis, parts);
            return parts;
        }
    }
}
