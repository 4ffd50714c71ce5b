using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// OLMo (Groeneveld et al. 2024, arXiv:2402.00838): Llama's layers with layer norms that have no parameters; queries, keys and values may be clipped.

/// <summary>A layer norm without parameters.</summary>
public sealed class OlmoNorm : Norm
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.LayerNorm(eps: 1e-5));
}

/// <summary>Attention whose queries, keys and values stay within a bound.</summary>
public sealed class OlmoAttention : GroupedQueryAttention
{
    private readonly double _clip;

    internal OlmoAttention(DecoderConfig c, int layer, RotaryEmbedding rotary, double clip) : base(c, layer, rotary) => _clip = clip;

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        (Tensor q, Tensor k, Tensor v) = base.Project(x, pass);
        return _clip == 0 ? (q, k, v) : (q.Clamp(-_clip, _clip), k.Clamp(-_clip, _clip), v.Clamp(-_clip, _clip));
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class OlmoBlock : Block
{
    private readonly OlmoAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly OlmoNorm _attentionNorm, _mlpNorm;

    internal OlmoBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, double clip)
    {
        _attention = Add("self_attn", new OlmoAttention(c, layer, rotary, clip));
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new OlmoNorm());
        _mlpNorm = Add("post_attention_layernorm", new OlmoNorm());
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>OLMo with its language-model head: <c>OlmoForCausalLM</c>.</summary>
public sealed class Olmo : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 50304 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Olmo(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Olmo(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        double clip = config.GetDouble("clip_qkv", 0, min: 0);
        return new DecoderStack(c, i => new OlmoBlock(c, i, rotary, clip), new OlmoNorm(), null, null, rotary);
    }
}
