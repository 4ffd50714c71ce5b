using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Qwen 3 Next (Qwen Team 2025): three of four layers are a memory by the gated delta rule, of fixed size; the fourth is attention whose output has a gate. All have experts. Norms are written
// around zero. T tokens, C width, G key heads, H value heads, K and V their widths.

/// <summary>Attention with norms of queries and keys, and a gate for each element of its output.</summary>
public sealed class Qwen3NextAttention : CausalAttention
{
    private readonly Linear _query, _key, _value, _out;
    private readonly RmsNorm _queryNorm, _keyNorm;
    private Tensor? _gate;

    internal Qwen3NextAttention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        int queries = c.NumAttentionHeads * c.HeadDim, keys = c.NumKeyValueHeads * c.HeadDim;
        _query = Add("q_proj", new Linear(c.HiddenSize, 2 * queries, c.AttentionBias, initializer: init));
        _key = Add("k_proj", new Linear(c.HiddenSize, keys, c.AttentionBias, initializer: init));
        _value = Add("v_proj", new Linear(c.HiddenSize, keys, c.AttentionBias, initializer: init));
        _out = Add("o_proj", new Linear(queries, c.HiddenSize, c.AttentionBias, initializer: init));
        (_queryNorm, _keyNorm) = (Add("q_norm", new RmsNorm(c.HeadDim, c.NormEps, weightOffset: 1)), Add("k_norm", new RmsNorm(c.HeadDim, c.NormEps, weightOffset: 1)));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        Tensor both = _query.Forward(x, pass).Reshape(x.Shape[0], Config.NumAttentionHeads, 2 * Config.HeadDim);   // a head's queries, then its gate
        _gate = both.Slice(2, Config.HeadDim, Config.HeadDim).Reshape(x.Shape[0], -1);
        return (both.Slice(2, 0, Config.HeadDim), Heads(_key.Forward(x, pass)), Heads(_value.Forward(x, pass)));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm.Forward(q, pass), _keyNorm.Forward(k, pass), batch, pass);

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o * _gate!.Sigmoid(), pass);
}

/// <summary>out(norm(memory(convolution(q, k, v))) * silu(z)).</summary>
public sealed class GatedDeltaNet : Module
{
    private const double LengthEps = 1e-6;
    private const int Chunk = 32;

    private readonly int _layer, _keyHeads, _valueHeads, _keyDim, _valueDim;
    private readonly Linear _qkvz, _ba, _out;
    private readonly Conv _conv;
    private readonly Parameter _stepBias, _logA, _norm;
    private readonly double _eps;
    private readonly Func<Tensor, Tensor> _act;

    internal GatedDeltaNet(ConfigReader config, DecoderConfig c, int layer)
    {
        (_layer, _eps) = (layer, c.NormEps);
        (_keyHeads, _valueHeads) = (config.GetInt("linear_num_key_heads", 16, min: 1), config.GetInt("linear_num_value_heads", 32, min: 1));
        (_keyDim, _valueDim) = (config.GetInt("linear_key_head_dim", 128, min: 1, max: 1 << 16), config.GetInt("linear_value_head_dim", 128, min: 1, max: 1 << 16));
        ConfigChecks.Divides(config, "linear_num_value_heads", _valueHeads, "linear_num_key_heads", _keyHeads);
        int keys = _keyHeads * _keyDim, values = _valueHeads * _valueDim, mixed = 2 * keys + values, kernel = config.GetInt("linear_conv_kernel_dim", 4, min: 2, max: 1 << 10);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _conv = Add("conv1d", new Conv(mixed, mixed, [kernel], new ConvOptions { Groups = mixed, Bias = false }));
        _qkvz = Add("in_proj_qkvz", new Linear(c.HiddenSize, 2 * keys + 2 * values, bias: false, initializer: init));
        _ba = Add("in_proj_ba", new Linear(c.HiddenSize, 2 * _valueHeads, bias: false, initializer: init));
        _stepBias = Add("dt_bias", [_valueHeads], Initializer.Ones);
        _logA = Add("A_log", [_valueHeads], Initializer.Of((head, _) => Math.Log(1 + 15.0 * head / Math.Max(1, _valueHeads - 1))));
        _norm = Add("norm.weight", [_valueDim], Initializer.Ones);
        _out = Add("out_proj", new Linear(values, c.HiddenSize, bias: false, initializer: init));
        _act = Activations.Get(c.HiddenAct);
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = batch.ZeroPadding(x);
        long tokens = x.Shape[0];
        int each = _valueHeads / _keyHeads, values = each * _valueDim;
        // Lies together by key head: its query, its key, its value heads, their gates.
        Tensor[] p = _qkvz.Forward(x, pass).Reshape(tokens, _keyHeads, -1).Split([_keyDim, _keyDim, values, values], 2);
        Tensor[] ba = _ba.Forward(x, pass).Reshape(tokens, _keyHeads, -1).Split([each, each], 2);
        Tensor mixed = Tensor.Cat([p[0].Reshape(tokens, -1), p[1].Reshape(tokens, -1), p[2].Reshape(tokens, -1)], 1), z = p[3].Reshape(tokens, _valueHeads, _valueDim);
        mixed = batch.Recur(_layer, "conv", (span, past) => mixed.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, null, past));
        Tensor[] qkv = batch.ZeroPadding(_act(mixed)).Split([_keyHeads * _keyDim, _keyHeads * _keyDim, _valueHeads * _valueDim], 1);
        Tensor beta = batch.ZeroPadding(ba[0].Reshape(tokens, _valueHeads).Sigmoid());
        Tensor g = batch.ZeroPadding((ba[1].Reshape(tokens, _valueHeads) + pass.Scope.Use(_stepBias)).Softplus() * -pass.Scope.Use(_logA).Exp());
        Tensor q = Unit(qkv[0], each) / Math.Sqrt(_keyDim), k = Unit(qkv[1], each), v = qkv[2].Reshape(tokens, _valueHeads, _valueDim);
        // In chunks for training; token by token otherwise, which has the same bits with a cache and without.
        Tensor o = batch.Recur(_layer, "memory", (span, state) =>
        {
            Tensor Own(Tensor t) => t.Slice(0, span.QueryStart, span.QueryLength).Transpose(0, 1);
            (Tensor y, Tensor next) = GatedDeltaRule.Apply(Own(q), Own(k), Own(v), Own(g), Own(beta), state?.Clone(x.Scope), pass.Training ? Chunk : 1);
            return (y.Transpose(0, 1), next);
        });
        o = o.RmsNorm(pass.Scope.Use(_norm), _eps) * z.Silu();
        return pass.Visit(this, _out.Forward(o.Reshape(tokens, -1), pass));
    }

    // (T, G * K) to heads of length 1, each as often as it has value heads: (T, H, K).
    private Tensor Unit(Tensor x, int each)
    {
        Tensor heads = x.Reshape(x.Shape[0], _keyHeads, _keyDim);
        return (heads * (heads.Square().Sum(2, keepDim: true) + LengthEps).Rsqrt()).RepeatInterleave(each, 1);
    }
}

/// <summary>x + memory or attention(norm(x)), then x + experts(norm(x)), or an MLP in dense layers.</summary>
public sealed class Qwen3NextBlock : Block
{
    private readonly GatedDeltaNet? _memory;
    private readonly Qwen3NextAttention? _attention;
    private readonly Qwen2MoeMlp? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Qwen3NextBlock(ConfigReader config, DecoderConfig c, int layer, RotaryEmbedding rotary, bool isAttention, bool isSparse, ExpertsConfig e, int sharedInner)
    {
        _attention = isAttention ? Add("self_attn", new Qwen3NextAttention(c, layer, rotary)) : null;
        _memory = isAttention ? null : Add("linear_attn", new GatedDeltaNet(config, c, layer));
        _experts = isSparse ? Add("mlp", new Qwen2MoeMlp(c, e, sharedInner)) : null;
        _mlp = isSparse ? null : Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _attentionNorm.Forward(x, pass);
        x += _attention is not null ? _attention.Forward(h, batch, pass) : _memory!.Forward(h, batch, pass);
        h = _mlpNorm.Forward(x, pass);
        return x + (_experts is null ? _mlp!.Forward(h, pass) : _experts.Forward(h, pass));
    }
}

/// <summary>Qwen 3 Next with its language-model head: <c>Qwen3NextForCausalLM</c>.</summary>
public sealed class Qwen3Next : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 151936, HiddenSize = 2048, IntermediateSize = 5632, NumHiddenLayers = 48, NumAttentionHeads = 16, NumKeyValueHeads = 2, HeadDim = 256, MaxPositionEmbeddings = 32768, PartialRotaryFactor = 0.25,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Qwen3Next(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(512, 10, 512, true), "moe_intermediate_size"))
    {
    }

    private Qwen3Next(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        int shared = config.GetInt("shared_expert_intermediate_size", 512, min: 1), interval = config.GetInt("full_attention_interval", 4, min: 1);
        bool[] isSparse = Qwen2Moe.SparseLayers(config, c.NumHiddenLayers);
        bool[] isAttention = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => c.LayerTypes.Count > 0 ? c.LayerTypes[i] == "full_attention" : (i + 1) % interval == 0)];
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Qwen3NextBlock(config, c, i, rotary, isAttention[i], isSparse[i], e, shared), new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1), null, null, rotary);
    }
}
