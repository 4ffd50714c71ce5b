using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ALBERT (Lan et al. 2020, arXiv:1909.11942): the same layer again and again, and embeddings narrower than it.

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class AlbertLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal AlbertLayer(EncoderConfig c, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention", new EncoderAttention(c, layer));
        _out = Add("attention.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("dropout1", new Dropout(c.HiddenDropoutProb));
        _up = Add("ffn", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("ffn_output", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("full_layer_layer_norm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
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

/// <summary>Embeddings and layers: <c>albert</c> in checkpoints.</summary>
public sealed class AlbertModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly AlbertLayer[] _layers;
    private readonly int _groups, _inner;
    private readonly Linear _project;
    private readonly Linear? _pooler;

    internal AlbertModel(ConfigReader config, bool pooler = false)
    {
        EncoderConfig c = Config = Read(config);
        _embeddings = Add("embeddings", new EncoderEmbeddings(c));
        _project = Add("encoder.embedding_hidden_mapping_in", new Linear(c.EmbeddingSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        (_groups, _inner) = (config.GetInt("num_hidden_groups", 1, min: 1, max: 4096), config.GetInt("inner_group_num", 1, min: 1, max: 4096));
        _layers = [.. Enumerable.Range(0, _groups * _inner).Select(i => Add($"encoder.albert_layer_groups.{i / _inner}.albert_layers.{i % _inner}", new AlbertLayer(c, i)))];
        _pooler = pooler ? Add("pooler", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange))) : null;
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "albert";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "depth.start", path + "depth", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        x = pass.Visit(this, "depth.start", _project.Forward(x, pass));
        for (int i = 0; i < Config.NumHiddenLayers; i++)
        {
            int group = i * _groups / Config.NumHiddenLayers;
            for (int inner = 0; inner < _inner; inner++)
            {
                x = _layers[group * _inner + inner].Run(x, batch, pass);
            }
            x = pass.Visit(this, $"depth.{i}", x);
        }
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => _pooler?.Forward(batch.First(hidden), pass).Tanh();

    // Weights of tasks that were not asked for may lie beside the encoder.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("predictions.", StringComparison.Ordinal) || checkpointName.StartsWith("sop_classifier.", StringComparison.Ordinal)
        || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal) || (_pooler is null && checkpointName.Contains("pooler", StringComparison.Ordinal));

    private static EncoderConfig Read(ConfigReader c)
    {
        EncoderConfig read = EncoderConfig.Read(c, new()
        {
            VocabSize = 30000, HiddenSize = 4096, IntermediateSize = 16384, NumAttentionHeads = 64, HiddenAct = "gelu_new", HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, EmbeddingSize = 128,
        });
        return read with { ClassifierDropout = c.GetDouble("classifier_dropout_prob", 0.1, min: 0, max: 0.999) };
    }
}

internal static class AlbertHeads
{
    private static readonly MaskedHeadNames Names = new("predictions.dense", "predictions.LayerNorm", "predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((AlbertModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
