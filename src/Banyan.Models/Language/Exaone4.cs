using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// EXAONE 4 (LG AI Research 2025, arXiv:2507.11407): norms behind each part and over each head; windowed layers rotate, full ones have no positions.

/// <summary>Attention with norms of queries and keys before they rotate.</summary>
public sealed class Exaone4Attention : GroupedQueryAttention
{
    private readonly RmsNorm _queryNorm, _keyNorm;

    internal Exaone4Attention(DecoderConfig c, int layer, RotaryEmbedding? rotary) : base(c, layer, rotary, bias: false)
    {
        _queryNorm = Add("q_norm", new RmsNorm(c.HeadDim, c.NormEps));
        _keyNorm = Add("k_norm", new RmsNorm(c.HeadDim, c.NormEps));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm.Forward(q, pass), _keyNorm.Forward(k, pass), batch, pass);
}

/// <summary>x + norm(attention(x)), then x + norm(mlp(x)).</summary>
public sealed class Exaone4Block : Block
{
    private readonly Exaone4Attention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Exaone4Block(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        int? window = c.WindowOf(layer);
        _attention = Add("self_attn", new Exaone4Attention(c, layer, window is null && c.SlidingWindow is not null ? null : rotary) { Window = window });
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_feedforward_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attentionNorm.Forward(_attention.Forward(x, batch, pass), pass);
        return x + _mlpNorm.Forward(_mlp.Forward(x, pass), pass);
    }
}

/// <summary>EXAONE 4 with its language-model head: <c>Exaone4ForCausalLM</c>.</summary>
public sealed class Exaone4 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 102400, IntermediateSize = 16384, NormEps = 1e-5, SlidingWindow = 4096 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Exaone4(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Exaone4(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults);
        int pattern = config.GetInt("sliding_window_pattern", 4, min: 1);
        return c.LayerTypes.Count > 0 ? c
            : c with { LayerTypes = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => (i + 1) % pattern != 0 ? "sliding_attention" : "full_attention")] };
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Exaone4Block(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
