using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BERT (Devlin et al. 2019): an encoder with learned positions and segments, norms after each part, and a pooler over the first token.
// T tokens of the batch, C hidden size, H heads, D = C / H, V vocabulary. Its tasks are in Encoders/ and BertHeads.cs.

/// <summary>Configuration of <see cref="BertModel"/>, by the keys of <c>config.json</c>.</summary>
public sealed record BertConfig
{
    /// <summary>Number of token ids. Default: 30522.</summary>
    public int VocabSize { get; init; } = 30522;

    /// <summary>C. Default: 768.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Width of the MLP. Default: 3072.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Number of layers. Default: 12.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>H. Default: 12.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Context length. Default: 512.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Number of segments. Default: 2.</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Activation of the MLP. Default: gelu.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Added to the variance in norms. Default: 1e-12.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Dropout of embeddings and of what is added to the residual stream. Default: 0.1, in training only.</summary>
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of attention weights. Default: 0.1, in training only.</summary>
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout before a task's head. Default: the hidden dropout.</summary>
    public double ClassifierDropout { get; init; } = 0.1;

    /// <summary>Whether tokens see only those before them. Default: false.</summary>
    public bool IsDecoder { get; init; }

    /// <summary>The padding id, whose embedding is not trained; null: none. Default: 0.</summary>
    public int? PadTokenId { get; init; } = 0;

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static BertConfig Read(ConfigReader c)
    {
        int width = c.GetInt("hidden_size", 768, min: 1, max: 1 << 20), heads = c.GetInt("num_attention_heads", 12, min: 1, max: width);
        ConfigChecks.Divides(c, "hidden_size", width, "num_attention_heads", heads);
        c.GetChoice("position_embedding_type", ["absolute"], "absolute");
        double dropout = c.GetDouble("hidden_dropout_prob", 0.1, min: 0, max: 0.999);
        return new BertConfig
        {
            VocabSize = c.GetInt("vocab_size", 30522, min: 1, max: 1 << 26),
            HiddenSize = width,
            IntermediateSize = c.GetInt("intermediate_size", 3072, min: 1, max: 1 << 24),
            NumHiddenLayers = c.GetInt("num_hidden_layers", 12, min: 0, max: 4096),
            NumAttentionHeads = heads,
            MaxPositionEmbeddings = c.GetInt("max_position_embeddings", 512, min: 1),
            TypeVocabSize = c.GetInt("type_vocab_size", 2, min: 1, max: 1 << 20),
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, "gelu"),
            LayerNormEps = c.GetDouble("layer_norm_eps", 1e-12, min: 0),
            HiddenDropoutProb = dropout,
            AttentionProbsDropoutProb = c.GetDouble("attention_probs_dropout_prob", 0.1, min: 0, max: 0.999),
            ClassifierDropout = c.GetDouble("classifier_dropout", dropout, min: 0, max: 0.999),
            IsDecoder = c.GetBool("is_decoder", false),
            PadTokenId = ConfigChecks.PadTokenId(c, 0),
            InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
        };
    }
}

/// <summary>Sum of the embeddings of token, position and segment, then a norm.</summary>
public sealed class BertEmbeddings : Module
{
    private readonly Embedding _tokens, _positions, _types;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;

    internal BertEmbeddings(BertConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _tokens = Add("word_embeddings", new Embedding(c.VocabSize, c.HiddenSize, init, c.PadTokenId));
        _positions = Add("position_embeddings", new Embedding(c.MaxPositionEmbeddings, c.HiddenSize, init));
        _types = Add("token_type_embeddings", new Embedding(c.TypeVocabSize, c.HiddenSize, init));
        _norm = Add("LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
    }

    internal Parameter Weight => _tokens.Weight;

    internal Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor types = batch.TokenTypes ?? pass.Scope.Zeros([batch.Tokens], DType.Int64);
        Tensor x = _tokens.Forward(batch.Ids, pass) + _types.Forward(types, pass) + _positions.Forward(batch.Positions, pass);   // (T, C)
        return pass.Visit(this, _drop.Forward(_norm.Forward(x, pass), pass));
    }
}

/// <summary>Multi-head attention, both ways unless the model is a decoder.</summary>
public sealed class BertAttention : Module
{
    private readonly BertConfig _c;
    private readonly int _layer;
    private readonly Linear _q, _k, _v;

    internal BertAttention(BertConfig c, int layer)
    {
        (_c, _layer) = (c, layer);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _q = Add("query", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _k = Add("key", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _v = Add("value", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Heads(Linear project) => project.Forward(x, pass).Reshape(-1, _c.NumAttentionHeads, _c.HiddenSize / _c.NumAttentionHeads);   // (T, H, D)
        Tensor o = batch.Attend(_layer, Heads(_q), Heads(_k), Heads(_v), new AttentionOptions
        {
            Causal = _c.IsDecoder,
            Dropout = pass.Training ? _c.AttentionProbsDropoutProb : 0,
            Seed = pass.DropoutSeed(this),
        });
        return pass.Visit(this, o.Reshape(-1, _c.HiddenSize));
    }
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class BertLayer : Block
{
    private readonly BertAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal BertLayer(BertConfig c, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new BertAttention(c, layer));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("attention.output.dropout", new Dropout(c.HiddenDropoutProb));
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
        return _norm2.Forward(x + _drop2.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass), pass);
    }
}

/// <summary>Embeddings, layers and pooler: <c>bert</c> in checkpoints.</summary>
public sealed class BertModel : TextEncoder
{
    private readonly BertEmbeddings _embeddings;
    private readonly BertLayer[] _layers;
    private readonly Linear? _pooler;

    internal BertModel(ConfigReader config, bool pooler)
    {
        Config = BertConfig.Read(config);
        _embeddings = Add("embeddings", new BertEmbeddings(Config));
        _layers = [.. Enumerable.Range(0, Config.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new BertLayer(Config, i)))];
        _pooler = pooler ? Add("pooler.dense", new Linear(HiddenSize, HiddenSize, initializer: Initializer.Normal(Config.InitializerRange))) : null;
    }

    /// <summary>What it was built from.</summary>
    public BertConfig Config { get; }

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
