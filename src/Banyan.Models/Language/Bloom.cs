using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BLOOM (BigScience 2022, arXiv:2211.05100): ALiBi instead of positions, a layer norm behind the embedding, one fused layer per attention.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)); the norms may replace x.</summary>
public sealed class BloomBlock : Block
{
    private readonly FusedAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;
    private readonly bool _residualIsNorm;

    internal BloomBlock(DecoderConfig c, int layer, bool residualIsNorm, double dropout, double attentionDropout)
    {
        _residualIsNorm = residualIsNorm;
        _attentionNorm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _attention = Add("self_attention", new FusedAttention(c, layer, null, FusedLayout.PerGroup, bias: true, "query_key_value", "dense")
        {
            AlibiSlopes = RelativePositions.AlibiSlopes(c.NumAttentionHeads), Dropout = attentionDropout,
        });
        _mlpNorm = Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "dense_h_to_4h", "dense_4h_to_h", c.InitializerRange));
        _drop1 = Add("attention_dropout", new Dropout(dropout));
        _drop2 = Add("mlp_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _attentionNorm.Forward(x, pass);
        x = (_residualIsNorm ? h : x) + _drop1.Forward(_attention.Forward(h, batch, pass), pass);
        h = _mlpNorm.Forward(x, pass);
        return (_residualIsNorm ? h : x) + _drop2.Forward(_mlp.Forward(h, pass), pass);
    }
}

/// <summary>The stack: the embedding passes a norm.</summary>
public sealed class BloomStack : DecoderStack
{
    private readonly LayerNorm _embeddingNorm;

    internal BloomStack(DecoderConfig c, bool residualIsNorm, double dropout, double attentionDropout)
        : base(c, i => new BloomBlock(c, i, residualIsNorm, dropout, attentionDropout), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("word_embeddings", "h", "ln_f")) =>
        _embeddingNorm = Add("word_embeddings_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass) => _embeddingNorm.Forward(x, pass);
}

/// <summary>BLOOM with its language-model head: <c>BloomForCausalLM</c>.</summary>
public sealed class Bloom : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 250880, HiddenSize = 64, IntermediateSize = 0, NumHiddenLayers = 2, NumAttentionHeads = 8, MaxPositionEmbeddings = int.MaxValue, NormEps = 1e-5, HiddenAct = "gelu_new",
        TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Bloom(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Bloom(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer")
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderKeys keys = DecoderKeys.Gpt with { Width = config.Has("n_embed") ? "n_embed" : "hidden_size", Layers = config.Has("num_hidden_layers") ? "num_hidden_layers" : "n_layer",
            Heads = config.Has("num_attention_heads") ? "num_attention_heads" : "n_head" };
        return DecoderConfig.Read(config, Defaults, keys) with { PadTokenId = null };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c) => new BloomStack(c, config.GetBool("apply_residual_connection_post_layernorm", false),
        config.GetDouble("hidden_dropout", 0, min: 0, max: 0.999), config.GetDouble("attention_dropout", 0, min: 0, max: 0.999));
}
