using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Nystromformer (Xiong et al. 2021, arXiv:2102.03902): BERT whose attention matrix is approximated from m landmarks, the means of segments of queries and keys:
// softmax(q K~') (softmax(Q~ K~'))^+ softmax(Q~ k') v, with the pseudo-inverse by Newton's iterations, plus a depthwise convolution of the values.

/// <summary>Attention through landmarks: <c>query</c>, <c>key</c>, <c>value</c>, <c>conv</c>.</summary>
public sealed class NystromformerAttention : EncoderAttention
{
    private const int Iterations = 6;

    private readonly int _landmarks;
    private readonly bool _exact;
    private readonly Conv? _conv;

    internal NystromformerAttention(EncoderConfig c, int layer, int landmarks, int kernel, bool exact) : base(c, layer)
    {
        (_landmarks, _exact) = (landmarks, exact);
        int heads = c.NumAttentionHeads;
        _conv = kernel == 0 ? null : Add("conv", new Conv(heads, heads, [kernel, 1], new() { Padding = [kernel / 2, 0], Groups = heads, Bias = false }));
    }

    /// <inheritdoc/>
    protected override Tensor Attend(Tensor x, Tensor q, Tensor k, Tensor v, TokenBatch batch, AttentionOptions options, ForwardPass pass)
    {
        Tensor y = _exact ? base.Attend(x, q, k, v, batch, options, pass) : Approximate(q, k, v, batch.Layout, pass);
        if (_conv is null)
        {
            return y;
        }
        Tensor[] rows = [.. Enumerable.Range(0, batch.Layout.Count).Select(s => _conv.Forward(Own(v, batch.Layout[s]).Unsqueeze(0), pass).Select(0, 0).Transpose(0, 1))];
        return y + Joined(rows);
    }

    private static Tensor Own(Tensor t, SequenceSpan span) => t.Slice(0, span.QueryStart, span.QueryLength).Transpose(0, 1);   // (H, T, D)

    private static Tensor Joined(Tensor[] rows) => rows.Length == 1 ? rows[0] : Tensor.Cat(rows, 0);

    private Tensor Approximate(Tensor q, Tensor k, Tensor v, SequenceLayout layout, ForwardPass pass)
    {
        double quarter = Math.Pow(q.Shape[2], -0.25);
        Sequence[] sequences = [.. Enumerable.Range(0, layout.Count).Select(s =>
            Kernels(Own(q, layout[s]) * quarter, Own(k, layout[s]) * quarter, Own(v, layout[s]), Hidden(layout, layout[s], pass.Scope)))];
        // The reference starts all inverses of a batch from one number: with few iterations a text's result depends a little on its neighbours.
        Tensor largest = Tensor.Cat([.. sequences.Select(s => s.Among.Sum(1).Reshape(-1))], 0).Max(0).Values;
        return Joined([.. sequences.Select(s => s.ToLandmarks.MatMul(Inverse(s.Among, largest)).MatMul(s.FromLandmarks.MatMul(s.Values)).Transpose(0, 1))]);
    }

    // The three matrices of a text: (H, T, m), (H, m, m), (H, m, T), and its values (H, T, D).
    private readonly record struct Sequence(Tensor ToLandmarks, Tensor Among, Tensor FromLandmarks, Tensor Values);

    private Sequence Kernels(Tensor q, Tensor k, Tensor v, Tensor? hidden)
    {
        long length = q.Shape[1];
        if (length % _landmarks != 0)
        {
            throw new ArgumentException($"Nystromformer: a text of {length} tokens does not split into {_landmarks} segments (num_landmarks); pad it to a multiple");
        }
        Tensor Means(Tensor t) => t.Reshape(t.Shape[0], _landmarks, length / _landmarks, t.Shape[2]).Mean(2);              // (H, m, D)
        Tensor qm = Means(q), km = Means(k), scores = qm.MatMul(k.Transpose(1, 2));
        return new(q.MatMul(km.Transpose(1, 2)).Softmax(-1), qm.MatMul(km.Transpose(1, 2)).Softmax(-1), (hidden is null ? scores : scores.MaskedFill(hidden, float.MinValue)).Softmax(-1), v);
    }

    // Razavi et al. 2014: the Moore-Penrose inverse of each head's matrix; the start is its transpose over the largest column sum.
    private Tensor Inverse(Tensor a, Tensor largest)
    {
        Tensor one = a.Scope!.From<float>([.. Enumerable.Range(0, _landmarks * _landmarks).Select(at => at / _landmarks == at % _landmarks ? 1f : 0f)], [_landmarks, _landmarks]);
        Tensor z = a.Transpose(1, 2) / largest;
        for (int i = 0; i < Iterations; i++)
        {
            Tensor az = a.MatMul(z);
            z = z.MatMul(one * 13 - az.MatMul(one * 15 - az.MatMul(one * 7 - az))) * 0.25;
        }
        return z;
    }

    private static Tensor? Hidden(SequenceLayout layout, SequenceSpan span, Scope scope) => span.KeyMaskStart < 0 || layout.KeyMask is not { } visible ? null
        : scope.From<bool>([.. Enumerable.Range(0, (int)span.KeyLength).Select(t => !visible[span.KeyMaskStart + t])], [1, 1, span.KeyLength]);
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class NystromformerLayer : Block
{
    private readonly NystromformerAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal NystromformerLayer(EncoderConfig c, int layer, int landmarks, int kernel, bool exact)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new NystromformerAttention(c, layer, landmarks, kernel, exact));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("dropout1", new Dropout(c.HiddenDropoutProb));
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop2 = Add("dropout2", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _norm1.Forward(x + _drop1.Forward(_out.Forward(_attention.Forward(x, batch, pass), pass), pass), pass);
        return _norm2.Forward(x + _drop2.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass), pass);
    }
}

/// <summary>Embeddings and layers: <c>nystromformer</c> in checkpoints.</summary>
public sealed class NystromformerModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly NystromformerLayer[] _layers;

    internal NystromformerModel(ConfigReader config)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 30000, HiddenAct = "gelu_new", MaxPositionEmbeddings = 510, LayerNormEps = 1e-5, PadTokenId = 1 });
        int landmarks = config.GetInt("num_landmarks", 64, min: 1, max: 1 << 16), kernel = config.Has("conv_kernel_size") ? config.GetInt("conv_kernel_size", min: 1, max: 1 << 12) : 0;
        bool exact = config.GetInt("segment_means_seq_len", 64, min: 1) == landmarks;   // every token a landmark
        if (config.GetBool("inv_coeff_init_option", false))
        {
            throw new CheckpointException(config.Source, "\"inv_coeff_init_option\" is true; expected false: only the original start of the inverse is supported");
        }
        if (kernel != 0 && kernel % 2 == 0)
        {
            throw new CheckpointException(config.Source, $"\"conv_kernel_size\" is {kernel}; expected an odd number");
        }
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, offset: 2));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new NystromformerLayer(c, i, landmarks, kernel, exact)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "nystromformer";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.HiddenDropoutProb;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "embeddings", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        foreach (NystromformerLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => null;

    // Weights of tasks that were not asked for may lie beside the encoder; old checkpoints store the positions 2, 3, 4 ...
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("cls.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal)
        || checkpointName.EndsWith("embeddings.token_type_ids", StringComparison.Ordinal);
}

internal static class NystromformerHeads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((NystromformerModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
