using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Granite 3 (IBM 2024): Llama's layers with the four multipliers of maximal update parametrisation (Yang et al. 2022, arXiv:2203.03466).

/// <summary>The multipliers, by the keys of <c>config.json</c>.</summary>
/// <param name="Embedding">Factor of the embeddings.</param>
/// <param name="Residual">Factor of what each part adds.</param>
/// <param name="Attention">Factor of the scores.</param>
/// <param name="Logits">Divisor of the logits.</param>
public sealed record GraniteMultipliers(double Embedding, double Residual, double Attention, double Logits)
{
    internal static GraniteMultipliers Read(ConfigReader c) =>
        new(c.GetDouble("embedding_multiplier", 1), c.GetDouble("residual_multiplier", 1), c.GetDouble("attention_multiplier", 1), c.GetDouble("logits_scaling", 1));
}

/// <summary>x + r attention(norm(x)), then x + r mlp(norm(x)).</summary>
public sealed class GraniteBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;
    private readonly double _residual;

    internal GraniteBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, GraniteMultipliers m)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Scale = m.Attention });
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _residual = m.Residual;
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass) * _residual;
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass) * _residual;
    }
}

/// <summary>Granite with its language-model head: <c>GraniteForCausalLM</c>.</summary>
public sealed class Granite : StackedLanguageModel
{
    private readonly GraniteMultipliers _multipliers;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Granite(ConfigReader config) : this(config, DecoderConfig.Read(config), GraniteMultipliers.Read(config))
    {
    }

    private Granite(ConfigReader config, DecoderConfig c, GraniteMultipliers m) : base(config, c, Stack(c, m)) => _multipliers = m;

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => base.Hidden(batch, pass) * (1 / _multipliers.Logits);

    private static DecoderStack Stack(DecoderConfig c, GraniteMultipliers m)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new GraniteBlock(c, i, rotary, m), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary) { EmbeddingScale = m.Embedding };
    }
}
