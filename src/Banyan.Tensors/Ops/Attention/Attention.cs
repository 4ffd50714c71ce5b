using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// o = P v with P = softmax(bias + softcap(scale * q k^T)) over the visible keys of each sequence. With dP = do v^T and
    /// dS = P (dP - sum of dP P): dv = P^T do, dq = scale dS k, dk = scale dS^T q. Neither P nor dS is ever whole in memory
    /// (Dao et al. 2022): only each row's maximum and sum are kept.
    /// </summary>
    public sealed partial class Attention : Op
    {
        private static readonly AttentionOptions s_full = new();

        private readonly AttentionOptions _options;
        private readonly Tensor _statistics;
        private readonly int _layoutVersion;
        private readonly int _relativeInput, _biasInput, _sinksInput;   // index among the inputs, -1 where absent

        private Attention(AttentionOptions options, Tensor statistics)
        {
            (_options, _statistics, _layoutVersion) = (options, statistics, options.Layout!.Version);
            int next = 3;
            _relativeInput = options.RelativeBias is null ? -1 : next++;
            _biasInput = options.Bias is null ? -1 : next++;
            _sinksInput = options.Sinks is null ? -1 : next;
        }

        /// <inheritdoc/>
        public override string Name => "attention";

        /// <summary>Attention of the queries of each sequence to its keys.</summary>
        /// <param name="q">(tokens, H, D), any strides of the first two dimensions.</param>
        /// <param name="k">(key tokens, Hkv, D); H is a multiple of Hkv, and query head h reads key head h / (H / Hkv).</param>
        /// <param name="v">(key tokens, Hkv, Dv).</param>
        /// <param name="options">Sequences, window, biases; null: full attention over one sequence.</param>
        /// <returns>(tokens, H, Dv). A query that sees no key gets zeros, and so do tokens of no sequence.</returns>
        /// <exception cref="ArgumentException">Shapes, types or options do not fit; the message names them.</exception>
        public static Tensor Apply(Tensor q, Tensor k, Tensor v, AttentionOptions? options = null)
        {
            options ??= s_full;
            AttentionCheck.Inputs(q, k, v);
            SequenceLayout layout = options.Layout ?? Whole(q, k);
            layout = options.Chunk is { } chunk ? layout.InChunks(chunk) : layout;
            AttentionCheck.Options(q, k, v, options, layout);
            Tensor o = Tensor.Allocate(Tensor.ScopeOf(q, k, v), [q.Shape[0], q.Shape[1], v.Shape[2]], Promotion.ComputeType(q.DType), q.Device);
            bool records = Tape.Needs(o.Scope, q, k, v, options.RelativeBias) || Tape.Needs(o.Scope, q, options.Bias, options.Sinks);
            Tensor? statistics = records ? Tensor.Allocate(o, [2, q.Shape[1], q.Shape[0]]) : null;
            if (layout.QueryTokens < q.Shape[0])
            {
                o.Fill(0);
            }
            AttentionTensors t = Prepare(q, k, v, o, options, layout);
            t.Statistics = statistics;
            AttentionLoop.Forward(t);
            o = Elementwise.Convert(o, q.DType);
            if (records)
            {
                o.Scope!.Tape!.Record(new Attention(options.With(layout), statistics!), Inputs(q, k, v, options), o);
            }
            return o;
        }

        private static SequenceLayout Whole(Tensor q, Tensor k)
        {
            var layout = new SequenceLayout();
            layout.Add(new SequenceSpan(0, q.Shape[0], 0, k.Shape[0], k.Shape[0] - q.Shape[0]));
            return layout;
        }

        private static Tensor[] Inputs(Tensor q, Tensor k, Tensor v, AttentionOptions options)
        {
            List<Tensor> inputs = [q, k, v];
            foreach (Tensor? parameter in (ReadOnlySpan<Tensor?>)[options.RelativeBias, options.Bias, options.Sinks])
            {
                if (parameter is not null)
                {
                    inputs.Add(parameter);
                }
            }
            return [.. inputs];
        }

        /// <summary>The tensors as the kernels want them: one type, the last dimension contiguous, biases in four dimensions.</summary>
        private static AttentionTensors Prepare(Tensor q, Tensor k, Tensor v, Tensor o, AttentionOptions options, SequenceLayout layout)
        {
            DType type = Promotion.ComputeType(q.DType);
            return new AttentionTensors
            {
                Q = Rows(q, type), K = Rows(k, type), V = Rows(v, type), O = Rows(o, type),
                AlibiSlopes = Dense(options.AlibiSlopes, type), RelativeBias = Dense(options.RelativeBias, type), Sinks = Dense(options.Sinks, type),
                Bias = Scores(Dense(options.Bias, type), q, layout), Mask = Scores(options.Mask?.Detach(), q, layout),
                Options = options, Layout = layout,
            };
        }

        private static Tensor Rows(Tensor x, DType type)
        {
            x = Elementwise.Convert(x, type);
            return x.Strides[2] == 1 || x.Shape[2] == 1 ? x : x.Detach().Contiguous();
        }

        private static Tensor? Dense(Tensor? x, DType type) => x is null ? null : Elementwise.Convert(x.Detach(), type).Contiguous();

        private static Tensor? Scores(Tensor? x, Tensor q, SequenceLayout layout)
        {
            if (x is null)
            {
                return null;
            }
            while (x.Rank < 4)
            {
                x = x.Unsqueeze(0);
            }
            // A dimension that is no 1 may be longer than the longest sequence.
            return x.Expand([x.Shape[0] == 1 ? layout.Count : x.Shape[0], q.Shape[1], x.Shape[2] == 1 ? layout.MaxQueryLength : x.Shape[2],
                x.Shape[3] == 1 ? layout.MaxKeyLength : x.Shape[3]]);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            if (_options.Layout!.Version != _layoutVersion)
            {
                throw new InvalidOperationException("backward of 'attention': the sequence layout was changed after the forward pass; use another one for the next step");
            }
            if (c.CreateGraph)
            {
                Composed(c);
                return;
            }
            AttentionCheck.BackwardLayout(_options.Layout);
            Tensor q = c.Input(0);
            DType type = Promotion.ComputeType(q.DType);
            AttentionTensors t = Prepare(q, c.Input(1), c.Input(2), c.Output(0), _options, _options.Layout);
            t.Statistics = _statistics;
            t.DO = Rows(c.GradOutput(), type);
            t.DQ = Zeros(c, 0, t.Q);
            t.DK = Zeros(c, 1, t.K);
            t.DV = Zeros(c, 2, t.V);
            t.DRelativeBias = Zeros(c, _relativeInput, t.RelativeBias);
            Tensor? dbias = Zeros(c, _biasInput, _options.Bias is null ? null : Dense(_options.Bias, type));
            t.DBias = Scores(dbias, q, t.Layout);
            t.DSinks = Zeros(c, _sinksInput, t.Sinks);
            AttentionLoop.Backward(t);
            Deliver(c, 0, t.DQ);
            Deliver(c, 1, t.DK);
            Deliver(c, 2, t.DV);
            Deliver(c, _relativeInput, t.DRelativeBias);
            Deliver(c, _biasInput, dbias);
            Deliver(c, _sinksInput, t.DSinks);
        }

        private static Tensor? Zeros(in BackwardContext c, int input, Tensor? like) =>
            input >= 0 && c.Needs(input) ? c.Scope.Zeros(like!.Shape, like.DType) : null;

        private static void Deliver(in BackwardContext c, int input, Tensor? gradient)
        {
            if (gradient is not null)
            {
                c.Grad(input, Elementwise.Convert(gradient, c.Input(input).DType));
            }
        }
    }
}
