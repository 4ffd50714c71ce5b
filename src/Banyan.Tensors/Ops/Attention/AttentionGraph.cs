using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    // The backward pass in tensor operations, for second derivatives: whole score matrices, one sequence after another.
    public sealed partial class Attention
    {
        private void Composed(in BackwardContext c)
        {
            DType type = Promotion.ComputeType(c.Input(0).DType);
            var inputs = new Tensor[c.InputCount];
            var gradients = new Tensor?[c.InputCount];
            for (int i = 0; i < inputs.Length; i++)
            {
                inputs[i] = c.Input(i).To(type);
            }
            Tensor dout = c.GradOutput().To(type);
            for (int sequence = 0; sequence < _options.Layout!.Count; sequence++)
            {
                AddSequence(inputs, gradients, dout, sequence);
            }
            for (int i = 0; i < inputs.Length; i++)
            {
                c.Grad(i, gradients[i]?.To(c.Input(i).DType) ?? c.Scope.Zeros(c.Input(i).Shape, c.Input(i).DType));
            }
        }

        private void AddSequence(Tensor[] inputs, Tensor?[] gradients, Tensor dout, int sequence)
        {
            SequenceSpan s = _options.Layout![sequence];
            if (s.QueryLength == 0 || s.KeyLength == 0)
            {
                return;
            }
            long heads = inputs[0].Shape[1];
            double scale = _options.Scale ?? 1 / Math.Sqrt(inputs[0].Shape[2]);
            Tensor q = Heads(inputs[0], s.QueryStart, s.QueryLength, heads), dy = Heads(dout, s.QueryStart, s.QueryLength, heads);
            Tensor k = Heads(s.Keys ?? inputs[1], s.KeyStart, s.KeyLength, heads), v = Heads(s.Values ?? inputs[2], s.KeyStart, s.KeyLength, heads);
            var constants = new ScoreConstants(_options, sequence, heads, q);
            (Tensor scores, Tensor? slopes) = Scores(q.MatMul(k.Transpose(1, 2)) * scale, inputs, sequence, constants);
            (Tensor p, Tensor? sink) = Weights(scores, _sinksInput < 0 ? null : inputs[_sinksInput].Reshape(heads, 1, 1));
            Tensor kept = constants.Kept is null ? p : p * constants.Kept, dp = dy.MatMul(v.Transpose(1, 2));
            dp = constants.Kept is null ? dp : dp * constants.Kept;
            Tensor delta = (dp * p).Sum(-1, keepDim: true), ds = p * (dp - delta);
            Biases(inputs, gradients, ds, sequence, constants);
            if (sink is not null)
            {
                Add(ref gradients[_sinksInput], -(sink * delta).Sum(1, keepDim: false).Reshape(heads));
            }
            ds = (slopes is null ? ds : ds * slopes) * scale;
            Add(ref gradients[0], Tokens(ds.MatMul(k), inputs[0].Shape, s.QueryStart));
            if (s.Keys is null)
            {
                Add(ref gradients[1], Tokens(ds.Transpose(1, 2).MatMul(q), inputs[1].Shape, s.KeyStart));
                Add(ref gradients[2], Tokens(kept.Transpose(1, 2).MatMul(dy), inputs[2].Shape, s.KeyStart));
            }
        }

        /// <summary>Scores from scale * q k^T, and the soft-cap's derivative.</summary>
        private (Tensor Scores, Tensor? Slopes) Scores(Tensor s, Tensor[] inputs, int sequence, in ScoreConstants constants)
        {
            Tensor? slopes = null;
            if (_options.SoftCap != 0)
            {
                Tensor t = (s / _options.SoftCap).Tanh();
                (s, slopes) = (t * _options.SoftCap, 1 - t * t);
            }
            s = constants.Alibi is null ? s : s + constants.Alibi;
            if (_relativeInput >= 0)
            {
                s += inputs[_relativeInput].Gather(1, constants.RelativeIndex!).Reshape(s.Shape);
            }
            if (_biasInput >= 0)
            {
                s += Block(Scores(inputs[_biasInput], inputs[0], _options.Layout!)!, sequence, s.Shape);
            }
            if (_options.Mask is not null)
            {
                s = Tensor.Where(Block(Scores(_options.Mask, inputs[0], _options.Layout!)!, sequence, s.Shape), s, s.Number(double.NegativeInfinity));
            }
            return (Tensor.Where(constants.Visible, s, s.Number(double.NegativeInfinity)), slopes);
        }

        /// <summary>The softmax's weights, and the sink's.</summary>
        private static (Tensor P, Tensor? Sink) Weights(Tensor scores, Tensor? sink)
        {
            Tensor maximum = scores.Detach().Max(-1, keepDim: true).Values;
            maximum = sink is null ? maximum : Tensor.Where(sink.Detach() > maximum, sink.Detach(), maximum);
            maximum = maximum.MaskedFill(maximum.Eq(double.NegativeInfinity), 0);
            Tensor e = (scores - maximum).Exp(), sum = e.Sum(-1, keepDim: true);
            Tensor? sinkWeight = sink is null ? null : (sink - maximum).Exp();
            sum = sinkWeight is null ? sum : sum + sinkWeight;
            sum = sum.MaskedFill(sum.Eq(0), 1);
            return (e / sum, sinkWeight is null ? null : sinkWeight / sum);
        }

        private void Biases(Tensor[] inputs, Tensor?[] gradients, Tensor ds, int sequence, in ScoreConstants constants)
        {
            if (_relativeInput >= 0)
            {
                Tensor table = ds.Scope!.Zeros(inputs[_relativeInput].Shape, ds.DType);
                Add(ref gradients[_relativeInput], table.ScatterAdd(1, constants.RelativeIndex!, ds.Reshape(ds.Shape[0], -1)));
            }
            if (_biasInput >= 0)
            {
                Shape shape = Scores(inputs[_biasInput].Detach(), inputs[0], _options.Layout!)!.Shape;
                Tensor block = SlicePad.Apply(ds.Unsqueeze(0), new Shape([1, shape[1], shape[2], ds.Shape[2]]), 2, 0);
                block = SlicePad.Apply(block, shape.With(0, 1), 3, 0);
                Add(ref gradients[_biasInput], SlicePad.Apply(block, shape, 0, sequence).SumTo(inputs[_biasInput].Shape));
            }
        }

        private static void Add(ref Tensor? total, Tensor part) => total = total is null ? part : total + part;

        // (tokens, heads or fewer, D) to (heads, length, D).
        private static Tensor Heads(Tensor x, long start, long length, long heads)
        {
            Tensor own = x.Slice(0, start, length).Transpose(0, 1).Unsqueeze(1);
            return own.Expand([own.Shape[0], heads / own.Shape[0], length, own.Shape[3]]).Reshape(heads, length, own.Shape[3]);
        }

        // The other way: the heads that share one are summed, tokens outside are 0.
        private static Tensor Tokens(Tensor x, in Shape shape, long start)
        {
            Tensor own = x.Reshape(shape[1], x.Shape[0] / shape[1], x.Shape[1], x.Shape[2]).Sum(1, keepDim: false);
            return SlicePad.Apply(own.Transpose(0, 1), shape, 0, start);
        }

        private static Tensor Block(Tensor x, int sequence, in Shape scores) => x.Select(0, sequence).Slice(1, 0, scores[1]).Slice(2, 0, scores[2]);

        /// <summary>What the scores of one sequence meet that has no gradient.</summary>
        private readonly struct ScoreConstants
        {
            /// <summary>(Tq, Tk): within the window, and the key is no padding.</summary>
            public readonly Tensor Visible;

            /// <summary>(H, Tq, Tk), or null.</summary>
            public readonly Tensor? Alibi, Kept;

            /// <summary>(H, Tq * Tk): where in its row of the table each score finds its bias; or null.</summary>
            public readonly Tensor? RelativeIndex;

            public ScoreConstants(AttentionOptions options, int sequence, long heads, Tensor q)
            {
                SequenceSpan s = options.Layout![sequence];
                (int left, int right) = options.Limits();
                long span = options.RelativeBias is { } table ? table.Shape[1] / 2 : 0, places = s.QueryLength * s.KeyLength;
                bool[] visible = new bool[places], mask = options.Layout.KeyMask ?? [];
                long[] index = new long[places];
                double[] distances = new double[places];
                for (long i = 0; i < places; i++)
                {
                    long key = i % s.KeyLength, distance = key - i / s.KeyLength - s.Offset;
                    visible[i] = -distance <= left && distance <= right && (s.KeyMaskStart < 0 || mask[s.KeyMaskStart + key]);
                    index[i] = Math.Clamp(distance, -span, span) + span;
                    distances[i] = -Math.Abs(distance);
                }
                Scope scope = q.Scope!;
                Visible = scope.From(visible, [s.QueryLength, s.KeyLength]);
                RelativeIndex = options.RelativeBias is null ? null : scope.From(index, [1, places]).Expand([heads, places]);
                Alibi = options.AlibiSlopes is null ? null
                    : options.AlibiSlopes.Detach().To(q.DType).Reshape(heads, 1, 1) * scope.From(distances, [s.QueryLength, s.KeyLength]).To(q.DType);
                Kept = options.Dropout == 0 ? null : scope.From(Keep(options, sequence, heads), [heads, s.QueryLength, s.KeyLength]).To(q.DType);
            }

            private static double[] Keep(AttentionOptions options, int sequence, long heads)
            {
                SequenceSpan s = options.Layout![sequence];
                double[] kept = new double[heads * s.QueryLength * s.KeyLength];
                for (long row = 0; row < heads * s.QueryLength; row++)
                {
                    var dropout = new AttentionDropout(options.Seed, s.Id < 0 ? (ulong)sequence : (ulong)s.Id, (int)(row / s.QueryLength),
                        row % s.QueryLength + s.Offset, options.Dropout);
                    for (long key = 0; key < s.KeyLength; key++)
                    {
                        kept[row * s.KeyLength + key] = dropout.Keeps(key) ? 1 / (1 - options.Dropout) : 0;
                    }
                }
                return kept;
            }
        }
    }
}
