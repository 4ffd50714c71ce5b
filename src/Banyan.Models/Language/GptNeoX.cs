using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// GPT-NeoX and Pythia (Black et al. 2022, arXiv:2204.06745): attention and MLP in parallel behind two layer norms, partial rotation, one fused layer.

/// <summary>x + attention(norm(x)) + mlp(norm'(x)), or one after the other.</summary>
public sealed class GptNeoXBlock : Block
{
    private readonly FusedAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;
    private readonly bool _parallel;

    internal GptNeoXBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool parallel, double dropout)
    {
        _parallel = parallel;
        _attentionNorm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _attention = Add("attention", new FusedAttention(c, layer, rotary, FusedLayout.PerGroup, c.AttentionBias, "query_key_value", "dense"));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "dense_h_to_4h", "dense_4h_to_h", c.InitializerRange));
        _drop1 = Add("post_attention_dropout", new Dropout(dropout));
        _drop2 = Add("post_mlp_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = x + _drop1.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return h + _drop2.Forward(_mlp.Forward(_mlpNorm.Forward(_parallel ? x : h, pass), pass), pass);
    }
}

/// <summary>GPT-NeoX with its language-model head: <c>GPTNeoXForCausalLM</c>.</summary>
public sealed class GptNeoX : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50432, HiddenSize = 6144, IntermediateSize = 24576, NumHiddenLayers = 44, NumAttentionHeads = 64, NormEps = 1e-5, HiddenAct = "gelu", AttentionBias = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public GptNeoX(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private GptNeoX(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "gpt_neox", head: "embed_out")
    {
    }

    // Old files say rotary_pct and rotary_emb_base.
    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig defaults = Defaults with
        {
            PartialRotaryFactor = config.GetDouble("rotary_pct", 0.25, min: 0, max: 1),
            Rope = new() { Theta = config.GetDouble("rotary_emb_base", 10000, min: 0) },
        };
        return DecoderConfig.Read(config, defaults, new DecoderKeys(NormEps: "layer_norm_eps")) with { PadTokenId = null };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        bool parallel = config.GetBool("use_parallel_residual", true);
        double dropout = config.GetDouble("hidden_dropout", 0, min: 0, max: 0.999);
        return new DecoderStack(c, i => new GptNeoXBlock(c, i, rotary, parallel, dropout), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("embed_in", "layers", "final_layer_norm"), null, rotary);
    }
}
