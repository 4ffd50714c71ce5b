using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// MPNet (Song et al. 2020, arXiv:2004.09297): BERT's layers with a bias of the distance in every score, which all layers share.

/// <summary>A bias for each bucket of distances and head: 32 buckets, whatever the configuration says, as in the reference.</summary>
public sealed class MpNetPositions : Module
{
    private readonly Parameter _weight;

    internal MpNetPositions(EncoderConfig c) => _weight = Add("weight", [32, c.NumAttentionHeads], Initializer.Normal(c.InitializerRange));

    internal Tensor Table(ForwardPass pass) => RelativePositions.T5Table(pass.Scope.Use(_weight), bidirectional: true);
}

/// <summary>Attention with the shared bias.</summary>
public sealed class MpNetAttention : EncoderAttention
{
    private readonly MpNetPositions _positions;

    internal MpNetAttention(EncoderConfig c, int layer, MpNetPositions positions) : base(c, layer, "q", "k", "v") => _positions = positions;

    /// <inheritdoc/>
    protected override void Configure(AttentionOptions options, ForwardPass pass) => options.RelativeBias = _positions.Table(pass);
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class MpNetLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal MpNetLayer(EncoderConfig c, int layer, MpNetPositions bias)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.attn", new MpNetAttention(c, layer, bias));
        _out = Add("attention.attn.o", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
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

/// <summary>Embeddings and layers: <c>mpnet</c> in checkpoints.</summary>
public sealed class MpNetModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly MpNetLayer[] _layers;
    private readonly MpNetPositions _positions;
    private readonly Linear? _pooler;

    internal MpNetModel(ConfigReader config, bool pooler = false)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 30527, PadTokenId = 1 });
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, segments: false, counted: true));
        _positions = Add("encoder.relative_attention_bias", new MpNetPositions(c));
        _pooler = pooler ? Add("pooler.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange))) : null;
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new MpNetLayer(c, i, _positions)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "mpnet";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "embeddings", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        foreach (MpNetLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => _pooler?.Forward(batch.First(hidden), pass).Tanh();

    // Weights of tasks that were not asked for may lie beside the encoder; old checkpoints store positions 0, 1, 2 ...
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("lm_head.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal) || (_pooler is null && checkpointName.Contains("pooler.dense", StringComparison.Ordinal));
}

internal static class MpNetHeads
{
    private static readonly MaskedHeadNames Names = new("lm_head.dense", "lm_head.layer_norm", "lm_head.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((MpNetModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get("gelu"), c.LayerNormEps, c.InitializerRange);
    }
}
