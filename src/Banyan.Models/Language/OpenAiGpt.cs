using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// The first GPT (Radford et al. 2018): a decoder whose layer norms stand behind each part, with learned positions and a tied head.

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class OpenAiGptBlock : Block
{
    private readonly FusedAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop;

    internal OpenAiGptBlock(DecoderConfig c, int layer, double dropout, double attentionDropout)
    {
        _attention = Add("attn", new FusedAttention(c, layer, null, FusedLayout.Stacked, bias: true, "c_attn", "c_proj", transposed: true) { Dropout = attentionDropout });
        _drop = Add("attn.resid_dropout", new Dropout(dropout));
        _attentionNorm = Add("ln_1", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "c_fc", "c_proj", c.InitializerRange, dropout, transposed: true));
        _mlpNorm = Add("ln_2", new LayerNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _attentionNorm.Forward(x + _drop.Forward(_attention.Forward(x, batch, pass), pass), pass);
        return _mlpNorm.Forward(x + _mlp.Forward(x, pass), pass);
    }
}

/// <summary>The first GPT with its language-model head: <c>OpenAIGPTLMHeadModel</c>.</summary>
public sealed class OpenAiGpt : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 40478, HiddenSize = 768, IntermediateSize = 0, NumHiddenLayers = 12, NumAttentionHeads = 12, MaxPositionEmbeddings = 512, NormEps = 1e-5, HiddenAct = "gelu",
        TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public OpenAiGpt(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private OpenAiGpt(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer")
    {
    }

    // Its "gelu" is the tanh form.
    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults, DecoderKeys.Gpt with { Act = "afn" });
        return c with { HiddenAct = c.HiddenAct == "gelu" ? "gelu_new" : c.HiddenAct, PadTokenId = null };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        double Dropout(string key) => config.GetDouble(key, 0.1, min: 0, max: 0.999);
        (double residual, double attention) = (Dropout("resid_pdrop"), Dropout("attn_pdrop"));
        return new PositionedStack(c, i => new OpenAiGptBlock(c, i, residual, attention), null, new StackNames("tokens_embed", "h"), "positions_embed", dropout: Dropout("embd_pdrop"));
    }
}
