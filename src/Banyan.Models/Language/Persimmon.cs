using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Persimmon (Elsen et al. 2023): queries, keys and values from one layer, interleaved by head; layer norms over heads; squared ReLU; partial rotation.

/// <summary>Attention from one layer with norms of queries and keys where the configuration says so.</summary>
public sealed class PersimmonAttention : FusedAttention
{
    private readonly LayerNorm? _queryNorm, _keyNorm;

    internal PersimmonAttention(DecoderConfig c, int layer, RotaryEmbedding rotary, bool norms) : base(c, layer, rotary, FusedLayout.PerGroup, bias: true, "query_key_value", "dense")
    {
        _queryNorm = norms ? Add("q_layernorm", new LayerNorm(c.HeadDim, c.NormEps)) : null;
        _keyNorm = norms ? Add("k_layernorm", new LayerNorm(c.HeadDim, c.NormEps)) : null;
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm?.Forward(q, pass) ?? q, _keyNorm?.Forward(k, pass) ?? k, batch, pass);
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class PersimmonBlock : Block
{
    private readonly PersimmonAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;

    internal PersimmonBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool norms)
    {
        _attention = Add("self_attn", new PersimmonAttention(c, layer, rotary, norms));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "dense_h_to_4h", "dense_4h_to_h", c.InitializerRange));
        _attentionNorm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>Persimmon with its language-model head: <c>PersimmonForCausalLM</c>.</summary>
public sealed class Persimmon : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 262144, IntermediateSize = 16384, NumHiddenLayers = 36, NumAttentionHeads = 64, MaxPositionEmbeddings = 16384, NormEps = 1e-5, HiddenAct = "relu2",
        PartialRotaryFactor = 0.5, Rope = new() { Theta = 25000 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Persimmon(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "layer_norm_eps")))
    {
    }

    private Persimmon(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        bool norms = config.GetBool("qk_layernorm", true);
        return new DecoderStack(c, i => new PersimmonBlock(c, i, rotary, norms), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames(Norm: "final_layernorm"), null, rotary);
    }
}
