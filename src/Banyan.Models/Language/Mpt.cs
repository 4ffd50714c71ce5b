using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// MPT (MosaicML 2023): GPT's layers without any bias, ALiBi with slopes of its own order, one fused layer per attention.

/// <summary>What only MPT's configuration says, in <c>attn_config</c>.</summary>
/// <param name="Alibi">Whether distances lower the scores.</param>
/// <param name="AlibiBiasMax">Exponent of the smallest slope.</param>
/// <param name="Clip">Bound of queries, keys and values; 0: none.</param>
/// <param name="Scale">Factor of the scores; null: 1 / sqrt(D).</param>
public sealed record MptAttentionConfig(bool Alibi, double AlibiBiasMax, double Clip, double? Scale)
{
    internal static MptAttentionConfig Read(ConfigReader config) => config.GetOptionalObject("attn_config") is { } c
        ? new(c.GetBool("alibi", true), c.GetDouble("alibi_bias_max", 8, min: 0), c.GetDouble("clip_qkv", 0, min: 0), c.Has("softmax_scale") ? c.GetDouble("softmax_scale") : null)
        : new(true, 8, 0, null);

    // Slopes of the next power of two; where that is more than there are heads, every second one comes first.
    internal Tensor? Slopes(int heads)
    {
        if (!Alibi)
        {
            return null;
        }
        int power = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)heads);
        float[] slopes = [.. Enumerable.Range(1, power).Select(h => (float)Math.Pow(2, -h * AlibiBiasMax / power))];
        return Tensor.From(power == heads ? slopes : [.. slopes.Where((_, i) => i % 2 == 1).Concat(slopes.Where((_, i) => i % 2 == 0)).Take(heads)], new Shape(heads));
    }
}

/// <summary>Attention whose queries, keys and values may be clipped.</summary>
public sealed class MptAttention : FusedAttention
{
    private readonly double _clip;

    internal MptAttention(DecoderConfig c, int layer, double clip) : base(c, layer, null, FusedLayout.Stacked, bias: false, "Wqkv", "out_proj") => _clip = clip;

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        (Tensor q, Tensor k, Tensor v) = base.Project(x, pass);
        return _clip == 0 ? (q, k, v) : (q.Clamp(-_clip, _clip), k.Clamp(-_clip, _clip), v.Clamp(-_clip, _clip));
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class MptBlock : Block
{
    private readonly MptAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop;

    internal MptBlock(DecoderConfig c, int layer, MptAttentionConfig a, double dropout)
    {
        _attentionNorm = Add("norm_1", new LayerNorm(c.HiddenSize, c.NormEps, bias: false));
        _attention = Add("attn", new MptAttention(c, layer, a.Clip) { Scale = a.Scale, AlibiSlopes = a.Slopes(c.NumAttentionHeads) });
        _mlpNorm = Add("norm_2", new LayerNorm(c.HiddenSize, c.NormEps, bias: false));
        _mlp = Add("ffn", new Mlp(c.HiddenSize, c.IntermediateSize, "gelu", false, "up_proj", "down_proj", c.InitializerRange, dropout));
        _drop = Add("resid_attn_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>MPT with its language-model head: <c>MptForCausalLM</c>.</summary>
public sealed class Mpt : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50368, HiddenSize = 2048, NumHiddenLayers = 24, NumAttentionHeads = 16, NormEps = 1e-5, HiddenAct = "gelu", TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Mpt(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Mpt(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer")
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        ConfigChecks.Only(config, "no_bias", true, "layers with biases are not supported");
        if (config.GetOptionalObject("attn_config") is { } attention)
        {
            ConfigChecks.Only(attention, "qk_ln", false, "norms of queries and keys are not supported");
            ConfigChecks.Only(attention, "prefix_lm", false, "a prefix that sees itself whole is not supported");
            attention.GetChoice("attn_type", ["multihead_attention"], "multihead_attention");
        }
        config.GetChoice("norm_type", ["low_precision_layernorm", "layernorm"], "low_precision_layernorm");
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys("d_model", Layers: "n_layers", Heads: "n_heads", Positions: "max_seq_len", NormEps: "layer_norm_epsilon"));
        return c with { IntermediateSize = 4 * c.HiddenSize, PadTokenId = null };   // whatever expansion_ratio says, as the reference
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        MptAttentionConfig attention = MptAttentionConfig.Read(config);
        double dropout = config.GetDouble("resid_pdrop", 0, min: 0, max: 0.999);
        return new DecoderStack(c, i => new MptBlock(c, i, attention, dropout), new LayerNorm(c.HiddenSize, c.NormEps, bias: false), new StackNames("wte", "blocks", "norm_f"));
    }
}
