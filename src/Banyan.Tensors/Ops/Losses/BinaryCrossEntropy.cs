using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>
    /// -(t log x + (1 - t) log(1 - x)) with logarithms of at least -100. dx = dy (x - t) / max(x (1 - x), 1e-12), dt = dy (log(1 - x) - log x).
    /// </summary>
    public sealed class BinaryCrossEntropy : Op
    {
        private const double LeastLog = -100, LeastVariance = 1e-12;

        /// <inheritdoc/>
        public override string Name => "binary_cross_entropy";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The loss of each element.</summary>
        public static Tensor Apply(Tensor x, Tensor t)
        {
            Tensor p = x.Detach(), target = t.Detach();
            Tensor y = -(target * LimitedLog(p) + (1 - target) * LimitedLog(1 - p));
            if (Tape.Needs(y.Scope, x, t))
            {
                y.Scope!.Tape!.Record(new BinaryCrossEntropy(), [x, t], y);
            }
            return y;
        }

        private static Tensor LimitedLog(Tensor x) => x.Log().Clamp(min: LeastLog);

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0), t = c.Input(1), dy = c.GradOutput();
            if (c.Needs(0))
            {
                c.Grad(0, (dy * (x - t) / (x * (1 - x)).Clamp(min: LeastVariance)).SumTo(x));
            }
            if (c.Needs(1))
            {
                c.Grad(1, (dy * (LimitedLog(1 - x) - LimitedLog(x))).SumTo(t));
            }
        }
    }
}

namespace Banyan
{
    public static partial class Loss
    {
        /// <summary>Cross entropy of probabilities with targets in [0, 1]; logarithms are at least -100.</summary>
        /// <param name="input">Probabilities.</param>
        /// <param name="target">0, 1 or between.</param>
        /// <param name="weight">Factor of each element, broadcast, or null.</param>
        /// <param name="reduction">Mean divides by the number of elements.</param>
        public static Tensor BinaryCrossEntropy(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean)
        {
            Tensor loss = Ops.BinaryCrossEntropy.Apply(input, target);
            return Reduce(weight is null ? loss : loss * weight, reduction);
        }

        /// <summary>Cross entropy of sigmoid(x) with targets in [0, 1], computed from the logits: (1 - t) x + (1 + (p - 1) t) log(1 + e^-x).</summary>
        /// <param name="input">Logits.</param>
        /// <param name="target">0, 1 or between.</param>
        /// <param name="weight">Factor of each element, broadcast, or null.</param>
        /// <param name="posWeight">p, the weight of positive targets, broadcast, or null.</param>
        /// <param name="reduction">Mean divides by the number of elements.</param>
        public static Tensor BinaryCrossEntropyWithLogits(
            Tensor input, Tensor target, Tensor? weight = null, Tensor? posWeight = null, Reduction reduction = Reduction.Mean)
        {
            Tensor logTerm = (-input).Softplus();
            logTerm = posWeight is null ? logTerm : logTerm * ((posWeight - 1) * target + 1);
            Tensor loss = (1 - target) * input + logTerm;
            return Reduce(weight is null ? loss : loss * weight, reduction);
        }

        /// <summary>The mean over classes (the last dimension) of the binary cross entropy with logits.</summary>
        /// <param name="input">Logits (N, C).</param>
        /// <param name="target">0 or 1 for each class.</param>
        /// <param name="weight">A weight per class (C), or null.</param>
        /// <param name="reduction">Over the rows.</param>
        public static Tensor MultilabelSoftMargin(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
            Reduce(BinaryCrossEntropyWithLogits(input, target, weight, reduction: Reduction.None).Mean(-1), reduction);
    }
}
