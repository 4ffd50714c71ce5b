using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>Tensors one after another along one dimension. Each input's gradient is its slice of dy.</summary>
    public sealed class Cat : Op
    {
        private readonly int _dim;

        private Cat(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "cat";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The joined tensor.</summary>
        public static Tensor Apply(ReadOnlySpan<Tensor> tensors, int dim)
        {
            if (tensors.IsEmpty)
            {
                throw new ArgumentException("cat: no tensor is given");
            }
            Tensor first = tensors[0];
            int axis = first.Shape.Axis(dim);
            long size = 0;
            bool needs = false;
            Scope? scope = null;
            foreach (Tensor t in tensors)
            {
                scope ??= t.Scope;
            }
            foreach (Tensor t in tensors)
            {
                if (t.Shape.With(axis, 1) != first.Shape.With(axis, 1) || t.DType != first.DType)
                {
                    throw new ArgumentException($"cat: {t} does not fit {first} along dimension {axis}");
                }
                size += t.Shape[axis];
                needs |= Tape.Needs(scope, t);
            }
            Tensor y = Tensor.Allocate(scope, first.Shape.With(axis, size), first.DType, first.Device);
            long start = 0;
            foreach (Tensor t in tensors)
            {
                y.Slice(axis, start, t.Shape[axis]).CopyFrom(t);
                start += t.Shape[axis];
            }
            if (needs)
            {
                y.Scope!.Tape!.Record(new Cat(axis), tensors, y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor dy = c.GradOutput();
            long start = 0;
            for (int i = 0; i < c.InputCount; i++)
            {
                long size = c.Input(i).Shape[_dim];
                c.Grad(i, dy.Slice(_dim, start, size));
                start += size;
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Tensors one after another along one dimension.</summary>
        public static Tensor Cat(ReadOnlySpan<Tensor> tensors, int dim = 0) => Ops.Cat.Apply(tensors, dim);
    }
}
