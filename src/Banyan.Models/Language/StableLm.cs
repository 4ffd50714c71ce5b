using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// StableLM 2 (Bellagente et al. 2024, arXiv:2402.17834): Llama's layers with layer norms and partial rotation; some sizes have parallel blocks and
// norms over each head.

/// <summary>A norm of its own for each head.</summary>
public sealed class StableLmHeadNorm : Module
{
    private readonly LayerNorm[] _norms;

    internal StableLmHeadNorm(int heads, int dim, double eps) =>
        _norms = [.. Enumerable.Range(0, heads).Select(h => Add($"norms.{h}", new LayerNorm(dim, eps, bias: false)))];

    internal Tensor Forward(Tensor x, ForwardPass pass) => Tensor.Stack([.. _norms.Select((norm, h) => norm.Forward(x.Select(1, h).Contiguous(), pass))], 1);
}

/// <summary>Attention with norms of queries and keys where the configuration says so.</summary>
public sealed class StableLmAttention : GroupedQueryAttention
{
    private readonly StableLmHeadNorm? _queryNorm, _keyNorm;

    internal StableLmAttention(DecoderConfig c, int layer, RotaryEmbedding rotary, bool bias, bool norms) : base(c, layer, rotary, bias, outBias: false)
    {
        _queryNorm = norms ? Add("q_layernorm", new StableLmHeadNorm(c.NumAttentionHeads, c.HeadDim, c.NormEps)) : null;
        _keyNorm = norms ? Add("k_layernorm", new StableLmHeadNorm(c.NumKeyValueHeads, c.HeadDim, c.NormEps)) : null;
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm?.Forward(q, pass) ?? q, _keyNorm?.Forward(k, pass) ?? k, batch, pass);
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)); in parallel both read the same norm.</summary>
public sealed class StableLmBlock : Block
{
    private readonly StableLmAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly LayerNorm _attentionNorm;
    private readonly LayerNorm? _mlpNorm;

    internal StableLmBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool bias, bool norms, bool parallel)
    {
        _attention = Add("self_attn", new StableLmAttention(c, layer, rotary, bias, norms));
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = parallel ? null : Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _attentionNorm.Forward(x, pass);
        x += _attention.Forward(h, batch, pass);
        return x + _mlp.Forward(_mlpNorm?.Forward(x, pass) ?? h, pass);
    }
}

/// <summary>StableLM with its language-model head: <c>StableLmForCausalLM</c>.</summary>
public sealed class StableLm : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50304, HiddenSize = 2560, IntermediateSize = 6912, NumKeyValueHeads = 32, MaxPositionEmbeddings = 4096, NormEps = 1e-5, PartialRotaryFactor = 0.25,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public StableLm(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "layer_norm_eps")))
    {
    }

    private StableLm(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        bool bias = config.GetBool("use_qkv_bias", false), norms = config.GetBool("qk_layernorm", false), parallel = config.GetBool("use_parallel_residual", false);
        return new DecoderStack(c, i => new StableLmBlock(c, i, rotary, bias, norms, parallel), new LayerNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
