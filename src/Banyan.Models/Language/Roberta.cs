using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// RoBERTa (Liu et al. 2019, arXiv:1907.11692) and XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116): BERT's layers; positions are counted over the tokens that are
// no padding, from the padding id + 1 on.

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class RobertaLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal RobertaLayer(EncoderConfig c, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new EncoderAttention(c, layer));
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

/// <summary>Embeddings and layers: <c>roberta</c> in checkpoints.</summary>
public sealed class RobertaModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly RobertaLayer[] _layers;
    private readonly Linear? _pooler;

    internal RobertaModel(ConfigReader config, bool pooler = false)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 50265, PadTokenId = 1 });
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, counted: true));
        _pooler = pooler ? Add("pooler.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange))) : null;
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new RobertaLayer(c, i)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "roberta";

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
        foreach (RobertaLayer layer in _layers)
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

internal static class RobertaHeads
{
    private static readonly MaskedHeadNames Names = new("lm_head.dense", "lm_head.layer_norm", "lm_head.bias");

    /// <summary>The head over masked tokens, with the exact gelu whatever the layers have.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((RobertaModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get("gelu"), c.LayerNormEps, c.InitializerRange);
    }
}
