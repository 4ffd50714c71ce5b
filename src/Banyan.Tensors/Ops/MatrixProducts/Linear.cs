using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// y = x W^T + b: a linear layer. dx = dy W, dW = dy^T x, db = the sum of dy over the rows. The gradients of leaf weights go to the tape's
    /// <see cref="GradientSink"/> as (input, output gradient).
    /// </summary>
    public sealed class Linear : Op
    {
        private readonly bool _transposed;

        private Linear(bool transposed) => _transposed = transposed;

        /// <inheritdoc/>
        public override string Name => "linear";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>x (..., in) to (..., out).</summary>
        /// <param name="x">(..., in).</param>
        /// <param name="weight">(out, in), or (in, out) when <paramref name="transposed"/>.</param>
        /// <param name="bias">(out), or null.</param>
        /// <param name="transposed">True for weights stored (in, out), as GPT-2 does.</param>
        public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias = null, bool transposed = false)
        {
            long width = weight.Shape[transposed ? 0 : 1];
            if (weight.Rank != 2 || x.Shape[-1] != width)
            {
                throw new ArgumentException($"linear: the input is {x.Shape}, the weight {weight.Shape}; the input's last size must be {width}");
            }
            Tensor rows = x.Reshape(-1, width);
            Scope? scope = Tensor.ScopeOf(x, weight, bias);
            long outputs = weight.Shape[transposed ? 1 : 0];
            DType compute = Promotion.ComputeType(x.DType);
            Tensor y = Tensor.Allocate(scope, [rows.Shape[0], outputs], compute, x.Device);
            Tensor? wideBias = bias is null ? null : Elementwise.Convert(bias, compute);
            wideBias = wideBias is { IsContiguous: false } ? wideBias.Detach().Contiguous() : wideBias;
            Tensor wideRows = Elementwise.Convert(rows, compute);
            bool asStored = !transposed && compute == DType.Float32;
            if (asStored && weight.DType.Format is not null)
            {
                BlockProduct.Run(wideRows, weight, y, wideBias);
            }
            else if (!asStored || !DenseProduct.TryRun(wideRows, weight, y, wideBias))
            {
                Tensor numbers = Elementwise.Convert(weight, compute);
                Tensor w = transposed ? numbers : numbers.AsView([numbers.Shape[1], numbers.Shape[0]], [numbers.Strides[1], numbers.Strides[0]], numbers.Body.Offset, owner: scope);
                MatMulLoop.Run(wideRows, w, y, accumulate: false, wideBias);
            }
            y = Elementwise.Convert(y, x.DType);
            if (Tape.Needs(y.Scope, rows, weight, bias))
            {
                y.Scope!.Tape!.Record(new Linear(transposed), bias is null ? [rows, weight] : [rows, weight, bias], y);
            }
            return y.Reshape(x.Shape.With(-1, outputs));
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0), w = c.Input(1), dy = c.GradOutput();
            if (c.Needs(0))
            {
                c.Grad(0, dy.MatMul(_transposed ? w.Transpose(0, 1) : w).To(x.DType));
            }
            if (c.LeafForSink(1) is { } leaf)
            {
                c.Sink.Linear(leaf, x, dy, _transposed);
            }
            else if (c.Needs(1))
            {
                c.Grad(1, (_transposed ? x.Transpose(0, 1).MatMul(dy) : dy.Transpose(0, 1).MatMul(x)).To(w.DType));
            }
            if (c.InputCount > 2 && c.Needs(2))
            {
                c.Grad(2, c.CreateGraph || !TensorRows.Fits(dy) ? dy.Sum(0) : BiasGradient(dy));
            }
        }

        private static Tensor BiasGradient(Tensor dy)
        {
            Tensor db = Tensor.Allocate(dy, [dy.Shape[1]]);
            TensorRows.ColumnSum(dy, db);
            return db;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>A linear layer: this (..., in) times the transposed <paramref name="weight"/> (out, in), plus <paramref name="bias"/>.</summary>
        public Tensor Linear(Tensor weight, Tensor? bias = null) => Ops.Linear.Apply(this, weight, bias);
    }
}
