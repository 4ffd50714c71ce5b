using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BERT (Devlin et al. 2019): an encoder with learned positions and segments, norms after each part, and a pooler over the first token.
// As a decoder its layers may attend to a source (BertEncoderDecoder.cs). T tokens of the batch, C hidden size, H heads, D = C / H, V vocabulary. Its tasks are in
// Encoders/ and BertHeads.cs.

/// <summary>norm(x + attention to the source), in the layers of a decoder that has one.</summary>
public sealed class BertCrossAttention : Module
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;

    internal BertCrossAttention(EncoderConfig c, int layer)
    {
        _attention = Add("self", new EncoderAttention(c, layer));
        _out = Add("output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        _norm = Add("output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop = Add("output.dropout", new Dropout(c.HiddenDropoutProb));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass) =>
        _norm.Forward(x + _drop.Forward(_out.Forward(_attention.ToSource(x, batch, pass), pass), pass), pass);
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class BertLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;
    private readonly BertCrossAttention? _source;

    internal BertLayer(EncoderConfig c, int layer, bool source)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new EncoderAttention(c, layer));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("attention.output.dropout", new Dropout(c.HiddenDropoutProb));
        _source = source ? Add("crossattention", new BertCrossAttention(c, layer)) : null;
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop2 = Add("output.dropout", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _norm1.Forward(x + _drop1.Forward(_out.Forward(_attention.Forward(x, batch, pass), pass), pass), pass);
        x = _source is null ? x : _source.Forward(x, batch, pass);
        return _norm2.Forward(x + _drop2.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass), pass);
    }
}

/// <summary>Embeddings, layers and pooler: <c>bert</c> in checkpoints.</summary>
public sealed class BertModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly BertLayer[] _layers;
    private readonly Linear? _pooler;

    /// <summary>An encoder or a decoder.</summary>
    /// <param name="config">The file.</param>
    /// <param name="pooler">Whether there is a layer over the first token.</param>
    /// <param name="source">Whether its layers attend to a source; null: as the file's <c>add_cross_attention</c> says.</param>
    /// <param name="segments">Whether it knows segments. Default: true.</param>
    internal BertModel(ConfigReader config, bool pooler, bool? source = null, bool segments = true)
    {
        Config = EncoderConfig.Read(config);
        HasSource = source ?? config.GetBool("add_cross_attention", false);
        if (HasSource && !Config.IsDecoder)
        {
            throw new CheckpointException(config.Source, "\"add_cross_attention\" is true where \"is_decoder\" is false; expected both: only a decoder has a source");
        }
        _embeddings = Add("embeddings", new EncoderEmbeddings(Config, segments));
        _layers = [.. Enumerable.Range(0, Config.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new BertLayer(Config, i, HasSource)))];
        _pooler = pooler ? Add("pooler.dense", new Linear(HiddenSize, HiddenSize, initializer: Initializer.Normal(Config.InitializerRange))) : null;
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <summary>Whether its layers attend to a source too.</summary>
    public bool HasSource { get; }

    /// <inheritdoc/>
    public override string Name => "bert";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) =>
        HiddenStatePaths.Encoder(path + "embeddings", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        foreach (BertLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => _pooler?.Forward(batch.First(hidden), pass).Tanh();

    // The head is tied; old checkpoints store the positions 0, 1, 2 ... ; weights of tasks that were not asked for may lie beside the encoder.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal)
        || checkpointName.StartsWith("cls.", StringComparison.Ordinal) || (_pooler is null && checkpointName.Contains("pooler.dense", StringComparison.Ordinal));
}
