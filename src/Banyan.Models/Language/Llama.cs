using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Llama (Touvron et al. 2023): a decoder with RMS norms before each part, rotary positions, SwiGLU and grouped-query attention.
// T tokens of the batch, C hidden size, H heads, G key/value heads, D head size, V vocabulary.

/// <summary>Configuration of <see cref="Llama"/>, by the keys of <c>config.json</c>.</summary>
public sealed record LlamaConfig
{
    /// <summary>Number of token ids. Default: 32000.</summary>
    public int VocabSize { get; init; } = 32000;

    /// <summary>C. Default: 4096.</summary>
    public int HiddenSize { get; init; } = 4096;

    /// <summary>Width of the MLP. Default: 11008.</summary>
    public int IntermediateSize { get; init; } = 11008;

    /// <summary>Number of layers. Default: 32.</summary>
    public int NumHiddenLayers { get; init; } = 32;

    /// <summary>H. Default: 32.</summary>
    public int NumAttentionHeads { get; init; } = 32;

    /// <summary>G: each serves H / G heads. Default: H.</summary>
    public int NumKeyValueHeads { get; init; } = 32;

    /// <summary>D. Default: C / H.</summary>
    public int HeadDim { get; init; } = 128;

    /// <summary>Context length. Default: 2048.</summary>
    public int MaxPositionEmbeddings { get; init; } = 2048;

    /// <summary>Added to the mean square in norms. Default: 1e-6.</summary>
    public double RmsNormEps { get; init; } = 1e-6;

    /// <summary>Biases of the attention's four layers. Default: none.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Biases of the MLP's three layers. Default: none.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Whether the head is the embedding. Default: false.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>The padding id, whose embedding is not trained. Default: none.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Angles of the positions.</summary>
    public RopeParameters Rope { get; init; } = new();

    /// <summary>Reads <c>config.json</c>.</summary>
    public static LlamaConfig Read(ConfigReader c)
    {
        int width = c.GetInt("hidden_size", 4096, min: 1, max: 1 << 20), heads = c.GetInt("num_attention_heads", 32, min: 1, max: width);
        int groups = c.GetInt("num_key_value_heads", heads, min: 1, max: heads), positions = c.GetInt("max_position_embeddings", 2048, min: 1);
        c.GetChoice("hidden_act", ["silu", "swish"], "silu");
        ConfigChecks.Divides(c, "num_attention_heads", heads, "num_key_value_heads", groups);
        if (!c.Has("head_dim"))
        {
            ConfigChecks.Divides(c, "hidden_size", width, "num_attention_heads", heads);
        }
        int headDim = c.GetInt("head_dim", width / heads, min: 2, max: 1 << 16);
        ConfigChecks.Divides(c, "head_dim", headDim, "2 (rotary pairs)", 2);
        return new LlamaConfig
        {
            VocabSize = c.GetInt("vocab_size", 32000, min: 1, max: 1 << 26),
            HiddenSize = width,
            IntermediateSize = c.GetInt("intermediate_size", 11008, min: 1, max: 1 << 24),
            NumHiddenLayers = c.GetInt("num_hidden_layers", 32, min: 0, max: 4096),
            NumAttentionHeads = heads,
            NumKeyValueHeads = groups,
            HeadDim = headDim,
            MaxPositionEmbeddings = positions,
            RmsNormEps = c.GetDouble("rms_norm_eps", 1e-6, min: 0),
            AttentionBias = c.GetBool("attention_bias", false),
            MlpBias = c.GetBool("mlp_bias", false),
            TieWordEmbeddings = c.GetBool("tie_word_embeddings", false),
            PadTokenId = ConfigChecks.PadTokenId(c, null),
            InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
            Rope = RopeParameters.Read(c, positions),
        };
    }
}

/// <summary>Grouped-query attention with rotary positions.</summary>
public sealed class LlamaAttention : Module
{
    private readonly LlamaConfig _c;
    private readonly int _layer;
    private readonly RotaryEmbedding _rotary;
    private readonly Linear _q, _k, _v, _o;

    internal LlamaAttention(LlamaConfig c, int layer, RotaryEmbedding rotary)
    {
        (_c, _layer, _rotary) = (c, layer, rotary);
        Initializer init = Initializer.Normal(c.InitializerRange);
        int keys = c.NumKeyValueHeads * c.HeadDim, queries = c.NumAttentionHeads * c.HeadDim;
        _q = Add("q_proj", new Linear(c.HiddenSize, queries, c.AttentionBias, initializer: init));
        _k = Add("k_proj", new Linear(c.HiddenSize, keys, c.AttentionBias, initializer: init));
        _v = Add("v_proj", new Linear(c.HiddenSize, keys, c.AttentionBias, initializer: init));
        _o = Add("o_proj", new Linear(queries, c.HiddenSize, c.AttentionBias, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor q = _q.Forward(x, pass).Reshape(-1, _c.NumAttentionHeads, _c.HeadDim);   // (T, H, D)
        Tensor k = _k.Forward(x, pass).Reshape(-1, _c.NumKeyValueHeads, _c.HeadDim);    // (T, G, D)
        Tensor v = _v.Forward(x, pass).Reshape(-1, _c.NumKeyValueHeads, _c.HeadDim);
        Tensor o = batch.Attend(_layer, _rotary.Apply(q, batch), _rotary.Apply(k, batch), v);
        return pass.Visit(this, _o.Forward(o.Reshape(-1, _c.NumAttentionHeads * _c.HeadDim), pass));
    }
}

/// <summary>SwiGLU (Shazeer 2020): down(silu(gate(x)) * up(x)).</summary>
public sealed class LlamaMlp : Module
{
    private readonly Linear _gate, _up, _down;

    internal LlamaMlp(LlamaConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _gate = Add("gate_proj", new Linear(c.HiddenSize, c.IntermediateSize, c.MlpBias, initializer: init));
        _up = Add("up_proj", new Linear(c.HiddenSize, c.IntermediateSize, c.MlpBias, initializer: init));
        _down = Add("down_proj", new Linear(c.IntermediateSize, c.HiddenSize, c.MlpBias, initializer: init));
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) =>
        pass.Visit(this, _down.Forward(_gate.Forward(x, pass).Silu() * _up.Forward(x, pass), pass));
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class LlamaBlock : Block
{
    private readonly LlamaAttention _attention;
    private readonly LlamaMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal LlamaBlock(LlamaConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new LlamaAttention(c, layer, rotary));
        _mlp = Add("mlp", new LlamaMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.RmsNormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.RmsNormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>The stack below the head: <c>model</c> in checkpoints.</summary>
public sealed class LlamaModel : Module
{
    private readonly Embedding _embed;
    private readonly LlamaBlock[] _layers;
    private readonly RmsNorm _norm;
    private readonly RotaryEmbedding _rotary;

    internal LlamaModel(LlamaConfig c)
    {
        _rotary = new RotaryEmbedding(c.Rope, c.HeadDim);
        _embed = Add("embed_tokens", new Embedding(c.VocabSize, c.HiddenSize, Initializer.Normal(c.InitializerRange), c.PadTokenId));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"layers.{i}", new LlamaBlock(c, i, _rotary)))];
        _norm = Add("norm", new RmsNorm(c.HiddenSize, c.RmsNormEps));
    }

    internal Parameter EmbeddingWeight => _embed.Weight;

    internal Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        _rotary.Prepare(batch, pass);
        Tensor x = _embed.Forward(batch.Ids, pass);   // (T, C)
        foreach (LlamaBlock layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return _norm.Forward(x, pass);
    }
}

/// <summary>Llama with its language-model head: <c>LlamaForCausalLM</c>.</summary>
public sealed class Llama : CausalLanguageModel
{
    private readonly LlamaModel _model;
    private readonly Parameter _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Llama(ConfigReader config) : base(config)
    {
        Config = LlamaConfig.Read(config);
        _model = Add("model", new LlamaModel(Config));
        _head = Config.TieWordEmbeddings ? _model.EmbeddingWeight
            : Add("lm_head", new Linear(Config.HiddenSize, Config.VocabSize, bias: false, initializer: Initializer.Normal(Config.InitializerRange))).Weight;
    }

    /// <summary>What it was built from.</summary>
    public LlamaConfig Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.MaxPositionEmbeddings;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _head;

    /// <inheritdoc/>
    public override string BasePrefix => "model.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Decoder("model.embed_tokens", "model.layers", Config.NumHiddenLayers, "model.norm");

    // Old checkpoints store the rotary frequencies.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) =>
        checkpointName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal) || (Config.TieWordEmbeddings && checkpointName == "lm_head.weight");

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _model.Forward(batch, pass);
}
