using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// y = e^(x - max) / sum of e^(x - max) over one dimension. dx = y (dy - sum of dy y). A slice of only -infinity gives NaN.
    /// </summary>
    public sealed class Softmax : Op
    {
        private readonly int _dim;

        private Softmax(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "softmax";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <summary>The softmax over one dimension.</summary>
        public static Tensor Apply(Tensor x, int dim)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = Elementwise.Convert(Forward(LayerNorm.Wide(x.Detach()), axis), x.DType);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Softmax(axis), [x], y);
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
                TensorRows.Softmax(x.Contiguous(), y, log: false);
                return y;
            }
            Tensor e = (x - x.Max(axis, keepDim: true).Values).Exp();
            return e / e.Sum(axis, keepDim: true);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor y = c.Output(0), dy = c.GradOutput();
            if (!c.CreateGraph && _dim == y.Rank - 1 && TensorRows.Fits(y))
            {
                Tensor dx = Tensor.Allocate(dy, y.Shape);
                TensorRows.SoftmaxBackward(y, dy.Contiguous(), dx, log: false);
                c.Grad(0, dx);
                return;
            }
            c.Grad(0, y * (dy - (dy * y).Sum(_dim, keepDim: true)));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>e^x divided by its sum over one dimension; computed from the largest element, so that nothing overflows.</summary>
        public Tensor Softmax(int dim) => Rank == 0 ? Unsqueeze(0).Softmax(0).Squeeze(0) : Ops.Softmax.Apply(this, dim);

        /// <summary>The softmax of -x.</summary>
        public Tensor Softmin(int dim) => (-this).Softmax(dim);

        /// <summary>e^x / (1 + sum of e^x): a softmax that may give nothing to anyone (Miller 2023, "off by one").</summary>
        public Tensor SoftmaxOne(int dim)
        {
            Tensor shift = Detach().Max(dim, keepDim: true).Values.Clamp(min: 0);
            Tensor e = (this - shift).Exp();
            return e / (e.Sum(dim, keepDim: true) + (-shift).Exp());
        }

        /// <summary>
        /// The softmax of (x + noise) / tau, a smooth sample of a category (Jang et al. 2016); hard gives the one-hot of the largest with the
        /// gradient of the soft sample.
        /// </summary>
        /// <param name="noise">Gumbel noise of this shape: -log(-log(u)) with u uniform in (0, 1).</param>
        /// <param name="tau">Temperature. Default: 1.</param>
        /// <param name="hard">One-hot in the forward pass. Default: false.</param>
        /// <param name="dim">The dimension of the categories. Default: the last.</param>
        public Tensor GumbelSoftmax(Tensor noise, double tau = 1, bool hard = false, int dim = -1)
        {
            Tensor soft = ((this + noise) / tau).Softmax(dim);
            if (!hard)
            {
                return soft;
            }
            Tensor constant = soft.Detach();
            (Tensor largest, Tensor index) = constant.Max(dim, keepDim: true);
            Tensor oneHot = (constant * 0).ScatterAdd(dim, index, largest * 0 + 1);
            return oneHot - constant + soft;
        }
    }
}
