using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// GPT-2 (Radford et al. 2019): a decoder with layer norms before each part, learned positions and a tied head.
// Checkpoints store linear weights as (in, out) (TensorFlow's Conv1D). T tokens of the batch, C width, H heads, D = C / H.

/// <summary>Configuration of <see cref="Gpt2"/>, by the keys of <c>config.json</c>.</summary>
public sealed record Gpt2Config
{
    /// <summary>Number of token ids. Default: 50257.</summary>
    public int VocabSize { get; init; } = 50257;

    /// <summary>Context length. Default: 1024.</summary>
    public int NPositions { get; init; } = 1024;

    /// <summary>C. Default: 768.</summary>
    public int NEmbd { get; init; } = 768;

    /// <summary>Number of layers. Default: 12.</summary>
    public int NLayer { get; init; } = 12;

    /// <summary>H. Default: 12.</summary>
    public int NHead { get; init; } = 12;

    /// <summary>Width of the MLP. Default: 4 C.</summary>
    public int NInner { get; init; } = 3072;

    /// <summary>Activation of the MLP. Default: gelu_new.</summary>
    public string ActivationFunction { get; init; } = "gelu_new";

    /// <summary>Added to the variance in norms. Default: 1e-5.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Biases everywhere. nanoGPT's <c>bias = False</c> leaves them out; transformers always has them. Default: true.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>Whether attention is divided by the layer's number (Mistral's GPT-2s). Default: false.</summary>
    public bool ScaleAttnByInverseLayerIdx { get; init; }

    /// <summary>Whether attention is divided by sqrt(D). Default: true.</summary>
    public bool ScaleAttnWeights { get; init; } = true;

    /// <summary>Dropout after embeddings. Default: 0.1, in training only.</summary>
    public double EmbdPdrop { get; init; } = 0.1;

    /// <summary>Dropout of what is added to the residual stream. Default: 0.1, in training only.</summary>
    public double ResidPdrop { get; init; } = 0.1;

    /// <summary>Dropout of attention weights. Default: 0.1, in training only.</summary>
    public double AttnPdrop { get; init; } = 0.1;

    /// <summary>Standard deviation of new weights; projections into the residual stream take it over sqrt(2 layers). Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Whether each layer also attends to a source (the writer of an encoder-decoder). Default: false.</summary>
    public bool AddCrossAttention { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    public static Gpt2Config Read(ConfigReader c) => Read(c, "n_embd", 768, positions: 1024, heads: 12, layers: 12, vocabulary: 50257);

    /// <summary>Reads a configuration whose width has another name, with the defaults of its model.</summary>
    internal static Gpt2Config Read(ConfigReader c, string widthKey, int width, int positions, int heads, int layers, int vocabulary)
    {
        width = c.GetInt(widthKey, width, min: 1, max: 1 << 20);
        heads = c.GetInt("n_head", heads, min: 1, max: width);
        ConfigChecks.Divides(c, widthKey, width, "n_head", heads);
        return new Gpt2Config
        {
            VocabSize = c.GetInt("vocab_size", vocabulary, min: 1, max: 1 << 26),
            NPositions = c.GetInt("n_positions", positions, min: 1),
            NEmbd = width,
            NLayer = c.GetInt("n_layer", layers, min: 0, max: 4096),
            NHead = heads,
            NInner = c.GetInt("n_inner", 4 * width, min: 1, max: 1 << 24),
            ActivationFunction = c.GetChoice("activation_function", Activations.Names, "gelu_new"),
            LayerNormEpsilon = c.GetDouble("layer_norm_epsilon", 1e-5, min: 0),
            Bias = c.GetBool("bias", true),
            ScaleAttnByInverseLayerIdx = c.GetBool("scale_attn_by_inverse_layer_idx", false),
            ScaleAttnWeights = c.GetBool("scale_attn_weights", true),
            EmbdPdrop = c.GetDouble("embd_pdrop", 0.1, min: 0, max: 0.999),
            ResidPdrop = c.GetDouble("resid_pdrop", 0.1, min: 0, max: 0.999),
            AttnPdrop = c.GetDouble("attn_pdrop", 0.1, min: 0, max: 0.999),
            InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
            AddCrossAttention = c.GetBool("add_cross_attention", false),
        };
    }
}

/// <summary>Multi-head attention with one fused projection to queries, keys and values.</summary>
public sealed class Gpt2Attention : Module
{
    private readonly Gpt2Config _c;
    private readonly int _layer;
    private readonly Linear _qkv, _out;
    private readonly Dropout _drop;
    private readonly double _scale;

    internal Gpt2Attention(Gpt2Config c, int layer)
    {
        (_c, _layer) = (c, layer);
        _qkv = Add("c_attn", Gpt2.Conv1D(c, c.NEmbd, 3 * c.NEmbd));
        _out = Add("c_proj", Gpt2.Conv1D(c, c.NEmbd, c.NEmbd, residual: true));
        _drop = Add("resid_dropout", new Dropout(c.ResidPdrop));
        _scale = Scale(c, layer);
    }

    internal static double Scale(Gpt2Config c, int layer) => (c.ScaleAttnWeights ? 1 / Math.Sqrt(c.NEmbd / c.NHead) : 1) / (c.ScaleAttnByInverseLayerIdx ? layer + 1 : 1);

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor qkv = _qkv.Forward(x, pass).Reshape(-1, 3, _c.NHead, _c.NEmbd / _c.NHead);   // (T, 3, H, D)
        AttentionOptions options = batch.Options(causal: true);
        (options.Scale, options.Dropout, options.Seed) = (_scale, pass.Training ? _c.AttnPdrop : 0, pass.DropoutSeed(this));
        Tensor o = batch.Attend(_layer, qkv.Select(1, 0), qkv.Select(1, 1), qkv.Select(1, 2), options);
        return pass.Visit(this, _drop.Forward(_out.Forward(o.Reshape(-1, _c.NEmbd), pass), pass));
    }
}

/// <summary>Attention to a source's hidden states, with one fused projection to its keys and values.</summary>
public sealed class Gpt2CrossAttention : Module
{
    private readonly Gpt2Config _c;
    private readonly int _layer;
    private readonly Linear _query, _keysValues, _out;
    private readonly Dropout _drop;

    internal Gpt2CrossAttention(Gpt2Config c, int layer)
    {
        (_c, _layer) = (c, layer);
        _keysValues = Add("c_attn", Gpt2.Conv1D(c, c.NEmbd, 2 * c.NEmbd));
        _query = Add("q_attn", Gpt2.Conv1D(c, c.NEmbd, c.NEmbd));
        _out = Add("c_proj", Gpt2.Conv1D(c, c.NEmbd, c.NEmbd, residual: true));
        _drop = Add("resid_dropout", new Dropout(c.ResidPdrop));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        AttentionOptions options = batch.Options(causal: false);
        (options.Scale, options.Dropout, options.Seed) = (Gpt2Attention.Scale(_c, _layer), pass.Training ? _c.AttnPdrop : 0, pass.DropoutSeed(this));
        Tensor q = _query.Forward(x, pass).Reshape(-1, _c.NHead, _c.NEmbd / _c.NHead);
        Tensor o = batch.AttendToSource(_layer, q, source =>
        {
            Tensor kv = _keysValues.Forward(source, pass).Reshape(-1, 2, _c.NHead, _c.NEmbd / _c.NHead);
            return (kv.Select(1, 0), kv.Select(1, 1));
        }, options);
        return pass.Visit(this, _drop.Forward(_out.Forward(o.Reshape(-1, _c.NEmbd), pass), pass));
    }
}

/// <summary>c_proj(act(c_fc(x))).</summary>
public sealed class Gpt2Mlp : Module
{
    private readonly Linear _up, _down;
    private readonly Func<Tensor, Tensor> _act;
    private readonly Dropout _drop;

    internal Gpt2Mlp(Gpt2Config c)
    {
        _up = Add("c_fc", Gpt2.Conv1D(c, c.NEmbd, c.NInner));
        _down = Add("c_proj", Gpt2.Conv1D(c, c.NInner, c.NEmbd, residual: true));
        _act = Activations.Get(c.ActivationFunction);
        _drop = Add("dropout", new Dropout(c.ResidPdrop));
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, _drop.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass));
}

/// <summary>x + attention(norm(x)), with a source x + attention to it(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Gpt2Block : Block
{
    private readonly LayerNorm _norm1, _norm2;
    private readonly LayerNorm? _sourceNorm;
    private readonly Gpt2Attention _attention;
    private readonly Gpt2CrossAttention? _toSource;
    private readonly Gpt2Mlp _mlp;

    internal Gpt2Block(Gpt2Config c, int layer)
    {
        _norm1 = Add("ln_1", new LayerNorm(c.NEmbd, c.LayerNormEpsilon, c.Bias));
        _attention = Add("attn", new Gpt2Attention(c, layer));
        _norm2 = Add("ln_2", new LayerNorm(c.NEmbd, c.LayerNormEpsilon, c.Bias));
        _mlp = Add("mlp", new Gpt2Mlp(c));
        _toSource = c.AddCrossAttention ? Add("crossattention", new Gpt2CrossAttention(c, layer)) : null;
        _sourceNorm = c.AddCrossAttention ? Add("ln_cross_attn", new LayerNorm(c.NEmbd, c.LayerNormEpsilon, c.Bias)) : null;
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_norm1.Forward(x, pass), batch, pass);
        x = _toSource is null ? x : x + _toSource.Forward(_sourceNorm!.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_norm2.Forward(x, pass), pass);
    }
}

/// <summary>The stack below the head: <c>transformer</c> in checkpoints.</summary>
public sealed class Gpt2Model : Module
{
    private readonly Embedding _tokens, _positions;
    private readonly Dropout _drop;
    private readonly Gpt2Block[] _layers;
    private readonly LayerNorm _norm;

    internal Gpt2Model(Gpt2Config c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _tokens = Add("wte", new Embedding(c.VocabSize, c.NEmbd, init));
        _positions = Add("wpe", new Embedding(c.NPositions, c.NEmbd, init));
        _drop = Add("drop", new Dropout(c.EmbdPdrop));
        _layers = [.. Enumerable.Range(0, c.NLayer).Select(i => Add($"h.{i}", new Gpt2Block(c, i)))];
        _norm = Add("ln_f", new LayerNorm(c.NEmbd, c.LayerNormEpsilon, c.Bias));
    }

    internal Parameter EmbeddingWeight => _tokens.Weight;

    internal Tensor Forward(TokenBatch batch, ForwardPass pass) => Forward(_tokens.Forward(batch.Ids, pass), batch, pass);

    /// <summary>What stands for the tokens (T, C), without positions, to (T, C).</summary>
    internal Tensor Forward(Tensor tokens, TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _drop.Forward(tokens + _positions.Forward(batch.Positions, pass), pass);
        foreach (Gpt2Block layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return _norm.Forward(x, pass);
    }
}

/// <summary>GPT-2 with its tied language-model head: <c>GPT2LMHeadModel</c>.</summary>
public sealed class Gpt2 : CausalLanguageModel
{
    private readonly Gpt2Model _model;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Gpt2(ConfigReader config) : base(config)
    {
        ConfigChecks.Only(config, "tie_word_embeddings", true, "the head is the embedding");
        Config = Gpt2Config.Read(config);
        _model = Add("transformer", new Gpt2Model(Config));
    }

    /// <summary>What it was built from.</summary>
    public Gpt2Config Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.NPositions;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _model.EmbeddingWeight;

    /// <inheritdoc/>
    public override string BasePrefix => "transformer.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Decoder("transformer.drop", "transformer.h", Config.NLayer, "transformer.ln_f");

    // The head is tied; old checkpoints also store the causal mask.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName == "lm_head.weight"
        || checkpointName.EndsWith(".attn.bias", StringComparison.Ordinal) || checkpointName.EndsWith(".attn.masked_bias", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _model.Forward(batch, pass);

    internal static Linear Conv1D(Gpt2Config c, int from, int to, bool residual = false) =>
        new(from, to, c.Bias, transposed: true, Initializer.Normal(residual ? c.InitializerRange / Math.Sqrt(2 * Math.Max(c.NLayer, 1)) : c.InitializerRange));
}
