using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// y = x / sqrt(mean(x^2) + eps) * (offset + w) over the last dimension (Zhang and Sennrich 2019). With r = 1 / sqrt(mean(x^2) + eps),
    /// n = x r, g = dy * (offset + w): dx = r (g - n mean(g n)), dw = sum of dy n.
    /// </summary>
    public sealed class RmsNorm : Op
    {
        private readonly double _eps, _offset;
        private readonly Tensor? _rstd;   // of the fused kernel

        private RmsNorm(double eps, double offset, Tensor? rstd) => (_eps, _offset, _rstd) = (eps, offset, rstd);

        /// <inheritdoc/>
        public override string Name => "rms_norm";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Normalises the rows of x (..., D).</summary>
        /// <param name="x">(..., D).</param>
        /// <param name="weight">(D), or null.</param>
        /// <param name="eps">Added to the mean square.</param>
        /// <param name="offset">Added to the weight (Gemma: 1).</param>
        public static Tensor Apply(Tensor x, Tensor? weight, double eps, double offset)
        {
            x = x.DType == DType.Float32 ? x.Contiguous() : x;   // sums run in one order, wherever the rows lie
            Tensor y;
            Tensor? rstd = null;
            if (TensorRows.Fits(x) && (weight is null || TensorRows.Fits(weight)))
            {
                y = Tensor.Allocate(Tensor.ScopeOf(x, weight), x.Shape, x.DType, x.Device);
                rstd = Tensor.Allocate(y, [x.Count / Math.Max(x.Shape[-1], 1)]);
                TensorRows.RmsNorm(x, weight, offset, eps, y, rstd);
            }
            else
            {
                y = Normalize(LayerNorm.Wide(x.Detach()), eps).Normal;
                y = weight is null ? y : y * Scale(weight.Detach(), offset);
                y = Elementwise.Convert(y, x.DType);
            }
            if (Tape.Needs(y.Scope, x, weight))
            {
                y.Scope!.Tape!.Record(new RmsNorm(eps, offset, rstd), weight is null ? [x] : [x, weight], y);
            }
            return y;
        }

        private static (Tensor Normal, Tensor Rrms) Normalize(Tensor x, double eps)
        {
            Tensor rrms = ((x * x).Mean(-1, keepDim: true) + eps).Rsqrt();
            return (x * rrms, rrms);
        }

        private static Tensor Scale(Tensor weight, double offset) => offset == 0 ? weight : LayerNorm.Wide(weight) + offset;

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            if (_rstd is not null && !c.CreateGraph)
            {
                Fused(c, _rstd);
                return;
            }
            Tensor x = LayerNorm.Wide(c.Input(0)), dy = LayerNorm.Wide(c.GradOutput());
            (Tensor n, Tensor rrms) = Normalize(x, _eps);
            if (c.Needs(0))
            {
                Tensor g = c.InputCount > 1 ? dy * Scale(c.Input(1), _offset) : dy;
                c.Grad(0, ((g - n * (g * n).Mean(-1, keepDim: true)) * rrms).To(c.Input(0).DType));
            }
            if (c.InputCount > 1 && c.Needs(1))
            {
                c.Grad(1, (dy * n).SumTo(c.Input(1)));
            }
        }

        private void Fused(in BackwardContext c, Tensor rstd)
        {
            Tensor x = c.Input(0), dy = c.GradOutput().Contiguous();
            Tensor? weight = c.InputCount > 1 ? c.Input(1) : null;
            if (c.Needs(0))
            {
                Tensor dx = Tensor.Allocate(dy, x.Shape);
                TensorRows.RmsNormBackward(x, weight, _offset, rstd, dy, dx);
                c.Grad(0, dx);
            }
            if (weight is not null && c.Needs(1))
            {
                Tensor dw = Tensor.Allocate(dy, weight.Shape);
                TensorRows.ColumnSum(dy, x, null, rstd, dw);
                c.Grad(1, dw);
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Root-mean-square normalisation over the last <paramref name="dims"/> dimensions, then a weight.</summary>
        /// <param name="weight">The shape of the normalised dimensions, or null.</param>
        /// <param name="eps">Added to the mean square. Default: float32's machine epsilon, as in PyTorch.</param>
        /// <param name="dims">Number of dimensions that are normalised together. Default: 1.</param>
        /// <param name="weightOffset">Added to the weight; Gemma stores weight - 1 and takes 1. Default: 0.</param>
        /// <exception cref="ArgumentException">The weight's shape differs.</exception>
        public Tensor RmsNorm(Tensor? weight = null, double eps = 1.1920928955078125e-07, int dims = 1, double weightOffset = 0)
        {
            CheckNormShape("rms_norm", dims, weight);
            return Ops.RmsNorm.Apply(FlattenLast(dims), weight?.InScopeOf(this).Reshape(-1), eps, weightOffset).Reshape(Shape);
        }

        /// <summary>x / sqrt(sum(x^2) + eps) along one dimension: the normalisation of queries and keys in linear attention.</summary>
        public Tensor L2Norm(int dim = -1, double eps = 1e-6) => this * ((this * this).Sum(dim, keepDim: true) + eps).Rsqrt();
    }
}
