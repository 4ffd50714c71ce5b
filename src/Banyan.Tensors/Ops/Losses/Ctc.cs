using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>
    /// Connectionist temporal classification (Graves et al. 2006): -log of the probability of all paths that collapse to the target. The
    /// gradient of a log-probability is minus the posterior probability of its label, from the forward-backward algorithm.
    /// </summary>
    public sealed class Ctc : Op
    {
        /// <inheritdoc/>
        public override string Name => "ctc_loss";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The loss of each sample (B).</summary>
        internal static Tensor Apply(Tensor logProbs, Tensor targets, long[] inputLengths, long[] targetLengths, int blank, bool zeroInfinity)
        {
            (int frames, int batch, int classes) = ((int)logProbs.Shape[0], (int)logProbs.Shape[1], (int)logProbs.Shape[2]);
            double[] values = logProbs.ToDoubles(), losses = new double[batch], gradient = new double[values.Length];
            long[] labels = targets.To(DType.Int64).ToArray<long>();
            long start = 0;
            for (int b = 0; b < batch; b++)
            {
                int from = (int)(targets.Rank == 1 ? start : b * targets.Shape[1]);
                start += targetLengths[b];
                var path = new CtcPath(labels.AsSpan(from, (int)targetLengths[b]).ToArray(), blank, (int)inputLengths[b], b, batch, classes);
                losses[b] = path.Run(values, gradient);
                losses[b] = zeroInfinity && double.IsInfinity(losses[b]) ? 0 : losses[b];
            }
            Tensor y = FromDoubles(logProbs, losses, [batch]);
            if (Tape.Needs(y.Scope, logProbs))
            {
                y.Scope!.Tape!.Record(new Ctc(), [logProbs, FromDoubles(logProbs, gradient, logProbs.Shape)], y);
            }
            return y;
        }

        private static Tensor FromDoubles(Tensor like, double[] values, in Shape shape)
        {
            Tensor t = Tensor.Allocate(like, shape, DType.Float64);
            t.CopyFrom<double>(values);
            return t.To(like.DType);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            if (c.CreateGraph)
            {
                throw new InvalidOperationException("ctc_loss has no second derivative: run its backward pass without createGraph");
            }
            c.Grad(0, c.Input(1) * c.GradOutput().Reshape(1, -1, 1));
        }
    }
}

namespace Banyan
{
    public static partial class Loss
    {
        /// <summary>Connectionist temporal classification: aligns frames with a shorter sequence of labels.</summary>
        /// <param name="logProbs">(T, B, C): log-probabilities of each frame.</param>
        /// <param name="targets">Labels without blanks: (B, S), padded, or all one after another (sum of lengths).</param>
        /// <param name="inputLengths">(B): frames of each sample, at most T.</param>
        /// <param name="targetLengths">(B): labels of each sample.</param>
        /// <param name="blank">The label between labels. Default: 0.</param>
        /// <param name="zeroInfinity">Samples with too few frames count 0, not infinity, and give no gradient. Default: false.</param>
        /// <param name="reduction">Mean divides each loss by its target length (at least 1), then averages.</param>
        /// <exception cref="ArgumentException">A length or a label does not fit.</exception>
        public static Tensor Ctc(
            Tensor logProbs, Tensor targets, Tensor inputLengths, Tensor targetLengths, int blank = 0, bool zeroInfinity = false,
            Reduction reduction = Reduction.Mean)
        {
            long[] frames = inputLengths.To(DType.Int64).ToArray<long>(), labels = targetLengths.To(DType.Int64).ToArray<long>();
            CheckCtc(logProbs, targets, frames, labels, blank);
            Tensor loss = Ops.Ctc.Apply(logProbs, targets, frames, labels, blank, zeroInfinity);
            return reduction == Reduction.Mean ? (loss / targetLengths.Clamp(min: 1).To(loss.DType)).Mean() : Reduce(loss, reduction);
        }

        private static void CheckCtc(Tensor x, Tensor targets, long[] frames, long[] labels, int blank)
        {
            if (x.Rank != 3 || frames.Length != x.Shape[1] || labels.Length != x.Shape[1] || blank < 0 || blank >= x.Shape[2])
            {
                throw new ArgumentException($"ctc_loss: {x.Shape} must be (T, B, C), with B lengths (given {frames.Length} and {labels.Length}) and a blank below C (given {blank})");
            }
            bool isConcatenated = targets.Rank == 1;
            long room = isConcatenated ? targets.Count : targets.Rank == 2 && targets.Shape[0] == x.Shape[1] ? targets.Shape[1] : -1;
            bool fits = isConcatenated ? labels.All(l => l >= 0) && labels.Sum() == room : labels.All(l => l >= 0 && l <= room);
            if (!fits || frames.Any(f => f < 0 || f > x.Shape[0]))
            {
                throw new ArgumentException($"ctc_loss: lengths of {string.Join(", ", frames)} frames and {string.Join(", ", labels)} labels do not fit {x.Shape} and targets {targets.Shape}");
            }
        }
    }
}
