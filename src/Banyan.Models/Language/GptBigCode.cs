using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// StarCoder's GPT (Li et al. 2023, arXiv:2305.06161): GPT-2 in which all heads share one key and value head.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class GptBigCodeBlock : Block
{
    private readonly FusedAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop;

    internal GptBigCodeBlock(DecoderConfig c, int layer, bool multiQuery, double dropout, double attentionDropout)
    {
        FusedLayout layout = multiQuery ? FusedLayout.Stacked : FusedLayout.PerGroup;
        _attentionNorm = Add("ln_1", new LayerNorm(c.HiddenSize, c.NormEps));
        _attention = Add("attn", new FusedAttention(c, layer, null, layout, bias: true, "c_attn", "c_proj") { Dropout = attentionDropout });
        _drop = Add("attn.resid_dropout", new Dropout(dropout));
        _mlpNorm = Add("ln_2", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "c_fc", "c_proj", c.InitializerRange, dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>StarCoder's GPT with its language-model head: <c>GPTBigCodeForCausalLM</c>.</summary>
public sealed class GptBigCode : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50257, HiddenSize = 768, IntermediateSize = 0, NumHiddenLayers = 12, NumAttentionHeads = 12, MaxPositionEmbeddings = 1024, NormEps = 1e-5,
        HiddenAct = "gelu_pytorch_tanh", TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public GptBigCode(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private GptBigCode(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer")
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        ConfigChecks.Only(config, "scale_attn_weights", true, "scores without their scale are not supported");
        DecoderConfig c = DecoderConfig.Read(config, Defaults, DecoderKeys.Gpt);
        return c with { NumKeyValueHeads = config.GetBool("multi_query", true) ? 1 : c.NumAttentionHeads, PadTokenId = null };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        double Dropout(string key) => config.GetDouble(key, 0.1, min: 0, max: 0.999);
        (double residual, double attention, bool multiQuery) = (Dropout("resid_pdrop"), Dropout("attn_pdrop"), config.GetBool("multi_query", true));
        return new PositionedStack(c, i => new GptBigCodeBlock(c, i, multiQuery, residual, attention), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("wte", "h", "ln_f"), "wpe",
            dropout: Dropout("embd_pdrop"));
    }
}
