using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = x - max - log(sum of e^(x - max)) over one dimension. dx = dy - e^y * sum of dy.</summary>
    public sealed class LogSoftmax : Op
    {
        private readonly int _dim;

        private LogSoftmax(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "log_softmax";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <summary>The logarithm of the softmax over one dimension.</summary>
        public static Tensor Apply(Tensor x, int dim)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = Elementwise.Convert(Forward(LayerNorm.Wide(x.Detach()), axis), x.DType);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new LogSoftmax(axis), [x], y);
            }
            return y;
        }

        private static Tensor Forward(Tensor x, int axis)
        {
            if (x.Count == 0)
            {
                return x.Clone();
            }
            if (axis == x.Rank - 1 && x.DType == DType.Float32)
            {
                Tensor y = Tensor.Allocate(x, x.Shape);
                TensorRows.Softmax(x.Contiguous(), y, log: true);
                return y;
            }
            Tensor shifted = x - x.Max(axis, keepDim: true).Values;
            return shifted - shifted.Exp().Sum(axis, keepDim: true).Log();
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor y = c.Output(0), dy = c.GradOutput();
            if (!c.CreateGraph && _dim == y.Rank - 1 && TensorRows.Fits(y))
            {
                Tensor dx = Tensor.Allocate(dy, y.Shape);
                TensorRows.SoftmaxBackward(y, dy.Contiguous(), dx, log: true);
                c.Grad(0, dx);
                return;
            }
            c.Grad(0, dy - y.Exp() * dy.Sum(_dim, keepDim: true));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The logarithm of the softmax over one dimension, computed without leaving logarithms.</summary>
        public Tensor LogSoftmax(int dim) => Rank == 0 ? Unsqueeze(0).LogSoftmax(0).Squeeze(0) : Ops.LogSoftmax.Apply(this, dim);
    }
}
