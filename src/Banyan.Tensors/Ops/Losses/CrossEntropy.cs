using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// The cross entropy of rows of logits with class numbers t: with l = log sum e^x and weights w, loss = (1 - e) w[t] (l - x[t])
    /// + e / C sum of w[c] (l - x[c]) + z l^2; 0 where t is ignored. e is the label smoothing, z keeps l near 0 (PaLM, arXiv:2204.02311).
    /// dx = dy (p s - q) with p = softmax(x), q = what multiplies -x above, s = sum of q + 2 z l.
    /// </summary>
    public sealed class CrossEntropy : Op
    {
        private readonly double _smoothing, _z;

        private CrossEntropy(double smoothing, double z) => (_smoothing, _z) = (smoothing, z);

        /// <inheritdoc/>
        public override string Name => "cross_entropy";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The loss of each row, (N, 1).</summary>
        internal static Tensor Apply(Tensor x, in ClassTargets t, Tensor? classWeight, double smoothing, double z)
        {
            Tensor y = Elementwise.Convert(Forward(LayerNorm.Wide(x.Detach()), t, classWeight?.Detach(), smoothing, z), x.DType);
            if (Tape.Needs(y.Scope, x))
            {
                var op = new CrossEntropy(smoothing, z);
                y.Scope!.Tape!.Record(op, classWeight is null ? [x, t.Index, t.Counted, t.Weight] : [x, t.Index, t.Counted, t.Weight, classWeight.Detach()], y);
            }
            return y;
        }

        private static Tensor Forward(Tensor x, in ClassTargets t, Tensor? classWeight, double smoothing, double z)
        {
            if (x.DType == DType.Float32 && classWeight is null && z == 0)
            {
                TensorRows.CountTargets(t.Class, x.Shape[1], t.Ignored);   // the bounds
                Tensor y = Tensor.Allocate(x, [x.Shape[0], 1]);
                TensorRows.CrossEntropy(x.Contiguous(), t.Class, y, t.Ignored, smoothing, 1, gradient: false);
                return y;
            }
            // From the log-softmax, not from l - x[t]: where logits are large, that difference has lost its digits.
            Tensor logp = x.LogSoftmax(-1);
            Tensor loss = -logp.Gather(-1, t.Index) * t.Weight;
            if (smoothing > 0)
            {
                Tensor all = (classWeight is null ? logp : logp * classWeight).Sum(-1, keepDim: true) * t.Counted;
                loss = loss * (1 - smoothing) - all * (smoothing / x.Shape[1]);
            }
            if (z > 0)
            {
                Tensor logSum = x.LogSumExp(-1, keepDim: true);
                loss = loss + logSum * logSum * t.Counted * z;
            }
            return loss.MaskedFill(t.IsIgnored, 0);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = LayerNorm.Wide(c.Input(0)), index = c.Input(1), dy = LayerNorm.Wide(c.GradOutput());
            if (!c.CreateGraph && x.DType == DType.Float32 && c.InputCount == 4 && _z == 0)
            {
                Tensor gradient = x.Clone(c.Scope), losses = Tensor.Allocate(dy, dy.Shape);
                TensorRows.CrossEntropy(gradient, index.MaskedFill(c.Input(2).Eq(0), -1), losses, -1, _smoothing, 1, gradient: true, dy.Contiguous());
                c.Grad(0, gradient.To(c.Input(0).DType));
                return;
            }
            Tensor counted = c.Input(2) * dy, atTarget = c.Input(3) * dy * (1 - _smoothing);
            Tensor scale = atTarget;
            Tensor? everywhere = null;
            if (_smoothing > 0)
            {
                everywhere = counted * (_smoothing / x.Shape[1]);
                Tensor? w = c.InputCount > 4 ? c.Input(4) : null;
                scale = scale + (w is null ? counted * _smoothing : everywhere * w.Sum());
                everywhere = w is null ? everywhere : everywhere * w;
            }
            if (_z > 0)
            {
                scale = scale + counted * x.LogSumExp(-1, keepDim: true) * (2 * _z);
            }
            Tensor dx = x.Softmax(-1) * scale;
            dx = everywhere is null ? dx : dx - everywhere;
            c.Grad(0, dx.ScatterAdd(-1, index, -atTarget).To(c.Input(0).DType));
        }
    }
}

namespace Banyan
{
    public static partial class Loss
    {
        /// <summary>Cross entropy between logits and classes: -log of the probability that the softmax gives to the target.</summary>
        /// <param name="input">Logits (N, C), (N, C, ...) or (C).</param>
        /// <param name="target">Class numbers (the input's shape without C, int64), or probabilities (the input's shape, float).</param>
        /// <param name="weight">A weight per class (C), or null.</param>
        /// <param name="ignoreIndex">Class number that does not count. Default: -100.</param>
        /// <param name="labelSmoothing">How much of the target is spread over all classes, 0 to 1. Default: 0.</param>
        /// <param name="zLoss">Factor of log(sum e^x)^2, which keeps logits from drifting. Class numbers only. Default: 0.</param>
        /// <param name="reduction">Mean divides by the weights of the counted targets (NaN when none counts); for probabilities by N.</param>
        /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
        public static Tensor CrossEntropy(
            Tensor input, Tensor target, Tensor? weight = null, long ignoreIndex = -100, double labelSmoothing = 0, double zLoss = 0,
            Reduction reduction = Reduction.Mean)
        {
            if (target.DType.IsFloat)
            {
                return SoftCrossEntropy(input, target, weight, labelSmoothing, reduction);
            }
            Ops.ClassTargets.Check("cross_entropy", input, target, weight);
            var targets = new Ops.ClassTargets(target, weight, ignoreIndex, Promotion.ComputeType(input.DType));
            Tensor loss = Ops.CrossEntropy.Apply(Ops.ClassTargets.Rows(input), targets, weight, labelSmoothing, zLoss);
            return Reduce(loss, targets, target.Shape, reduction);
        }

        private static Tensor Reduce(Tensor loss, in Ops.ClassTargets targets, in Shape shape, Reduction reduction) => reduction switch
        {
            Reduction.Mean => loss.Sum() / targets.Weight.Sum().To(loss.DType),
            Reduction.None => loss.Reshape(shape),
            _ => Reduce(loss, reduction),
        };

        private static Tensor SoftCrossEntropy(Tensor input, Tensor target, Tensor? weight, double smoothing, Reduction reduction)
        {
            if (target.Shape != input.Shape)
            {
                throw new ArgumentException($"cross_entropy: probabilities {target.Shape} do not fit the input {input.Shape}");
            }
            Ops.ClassTargets.CheckWeight("cross_entropy", input, weight);
            Tensor x = Ops.ClassTargets.Rows(input), t = Ops.ClassTargets.Rows(target);
            t = smoothing > 0 ? t * (1 - smoothing) + smoothing / x.Shape[1] : t;
            Tensor terms = t * x.LogSoftmax(-1);
            Tensor loss = -(weight is null ? terms : terms * weight).Sum(-1);
            return reduction == Reduction.None ? loss.Reshape(Ops.ClassTargets.ShapeFor("cross_entropy", input)) : Reduce(loss, reduction);
        }
    }
}
