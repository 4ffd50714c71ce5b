using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// y = (x - mean) / sqrt(var + eps) * w + b over the last dimension (Ba et al. 2016), with the biased variance. With n = (x - mean) r,
    /// r = 1 / sqrt(var + eps), g = dy * w: dx = r (g - mean(g) - n mean(g n)), dw = sum of dy n, db = sum of dy.
    /// </summary>
    public sealed class LayerNorm : Op
    {
        private readonly double _eps;
        private readonly Tensor? _mean, _rstd;   // of the fused kernel

        private LayerNorm(double eps, Tensor? mean, Tensor? rstd) => (_eps, _mean, _rstd) = (eps, mean, rstd);

        /// <inheritdoc/>
        public override string Name => "layer_norm";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Normalises the rows of x (..., D).</summary>
        /// <param name="x">(..., D).</param>
        /// <param name="weight">(D), or null.</param>
        /// <param name="bias">(D), or null; needs a weight.</param>
        /// <param name="eps">Added to the variance.</param>
        public static Tensor Apply(Tensor x, Tensor? weight, Tensor? bias, double eps)
        {
            x = x.DType == DType.Float32 ? x.Contiguous() : x;   // sums run in one order, wherever the rows lie
            Tensor y;
            Tensor? mean = null, rstd = null;
            if (TensorRows.Fits(x) && (weight is null || TensorRows.Fits(weight)) && (bias is null || TensorRows.Fits(bias)))
            {
                y = Tensor.Allocate(Tensor.ScopeOf(x, weight, bias), x.Shape, x.DType, x.Device);
                mean = Tensor.Allocate(y, [x.Count / Math.Max(x.Shape[-1], 1)]);
                rstd = Tensor.Allocate(y, mean.Shape);
                TensorRows.LayerNorm(x, weight, bias, eps, y, mean, rstd);
            }
            else
            {
                y = Elementwise.Convert(Forward(Wide(x.Detach()), weight?.Detach(), bias?.Detach(), eps), x.DType);
            }
            if (Tape.Needs(y.Scope, x, weight, bias))
            {
                y.Scope!.Tape!.Record(new LayerNorm(eps, mean, rstd), weight is null ? [x] : bias is null ? [x, weight] : [x, weight, bias], y);
            }
            return y;
        }

        private static Tensor Forward(Tensor x, Tensor? weight, Tensor? bias, double eps)
        {
            Tensor y = Normalize(x, eps).Normal;
            y = weight is null ? y : y * weight;
            return bias is null ? y : y + bias;
        }

        // Two passes: the mean first, then the squares of the differences, so that a large offset does not cancel.
        private static (Tensor Normal, Tensor Rstd) Normalize(Tensor x, double eps)
        {
            Tensor centred = x - x.Mean(-1, keepDim: true);
            Tensor rstd = ((centred * centred).Mean(-1, keepDim: true) + eps).Rsqrt();
            return (centred * rstd, rstd);
        }

        internal static Tensor Wide(Tensor x) => x.To(Promotion.ComputeType(x.DType));

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            if (_rstd is not null && !c.CreateGraph)
            {
                Fused(c, _mean!, _rstd);
                return;
            }
            Tensor x = Wide(c.Input(0)), dy = Wide(c.GradOutput());
            (Tensor n, Tensor rstd) = Normalize(x, _eps);
            if (c.Needs(0))
            {
                Tensor g = c.InputCount > 1 ? dy * c.Input(1) : dy;
                Tensor dx = (g - g.Mean(-1, keepDim: true) - n * (g * n).Mean(-1, keepDim: true)) * rstd;
                c.Grad(0, dx.To(c.Input(0).DType));
            }
            if (c.InputCount > 1 && c.Needs(1))
            {
                c.Grad(1, (dy * n).SumTo(c.Input(1)));
            }
            if (c.InputCount > 2 && c.Needs(2))
            {
                c.Grad(2, dy.SumTo(c.Input(2)));
            }
        }

        private static void Fused(in BackwardContext c, Tensor mean, Tensor rstd)
        {
            Tensor x = c.Input(0), dy = c.GradOutput().Contiguous();
            Tensor? weight = c.InputCount > 1 ? c.Input(1) : null;
            if (c.Needs(0))
            {
                Tensor dx = Tensor.Allocate(dy, x.Shape);
                TensorRows.LayerNormBackward(x, weight, mean, rstd, dy, dx);
                c.Grad(0, dx);
            }
            if (weight is not null && c.Needs(1))
            {
                Tensor dw = Tensor.Allocate(dy, weight.Shape);
                TensorRows.ColumnSum(dy, x, mean, rstd, dw);
                c.Grad(1, dw);
            }
            if (c.InputCount > 2 && c.Needs(2))
            {
                Tensor db = Tensor.Allocate(dy, c.Input(2).Shape);
                TensorRows.ColumnSum(dy, db);
                c.Grad(2, db);
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Layer normalisation over the last <paramref name="dims"/> dimensions: mean 0 and variance 1, then weight and bias.</summary>
        /// <param name="weight">The shape of the normalised dimensions, or null.</param>
        /// <param name="bias">The shape of the normalised dimensions, or null.</param>
        /// <param name="eps">Added to the variance. Default: 1e-5.</param>
        /// <param name="dims">Number of dimensions that are normalised together. Default: 1.</param>
        /// <exception cref="ArgumentException">The weight's or the bias's shape differs.</exception>
        public Tensor LayerNorm(Tensor? weight = null, Tensor? bias = null, double eps = 1e-5, int dims = 1)
        {
            CheckNormShape("layer_norm", dims, weight);
            CheckNormShape("layer_norm", dims, bias);
            Tensor x = FlattenLast(dims);
            Tensor y = Ops.LayerNorm.Apply(x, weight?.InScopeOf(this).Reshape(-1), weight is null ? null : bias?.InScopeOf(this).Reshape(-1), eps);
            y = weight is null && bias is not null ? y + bias.InScopeOf(this).Reshape(-1) : y;
            return y.Reshape(Shape);
        }

        private void CheckNormShape(string op, int dims, Tensor? weight)
        {
            if (dims < 1 || dims > Rank)
            {
                throw new ArgumentException($"{op}: {dims} dimensions cannot be normalised in {Shape}");
            }
            if (weight is not null && weight.Shape != Shape.Slice(Rank - dims, dims))
            {
                throw new ArgumentException($"{op}: the weight or bias is {weight.Shape}, the normalised dimensions of {Shape} are {Shape.Slice(Rank - dims, dims)}");
            }
        }

        private Tensor FlattenLast(int dims) => dims == 1 ? this : Reshape(Shape.Slice(0, Rank - dims).Insert(-1, Shape.Slice(Rank - dims, dims).Count));
    }
}
