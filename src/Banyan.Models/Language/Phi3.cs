using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Phi 3 (Abdin et al. 2024, arXiv:2404.14219): Llama's computation with queries, keys and values in one layer and gate and values of the MLP in
// another; long contexts by a factor for each frequency (LongRoPE, arXiv:2402.13753).

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Phi3Block : Block
{
    private readonly FusedAttention _attention;
    private readonly FusedGatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;

    internal Phi3Block(DecoderConfig c, int layer, RotaryEmbedding rotary, double dropout)
    {
        _attention = Add("self_attn", new FusedAttention(c, layer, rotary, FusedLayout.Stacked, bias: false, "qkv_proj", "o_proj") { Window = c.SlidingWindow });
        _mlp = Add("mlp", new FusedGatedMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _drop1 = Add("resid_attn_dropout", new Dropout(dropout));
        _drop2 = Add("resid_mlp_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _drop2.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>Phi 3 with its language-model head: <c>Phi3ForCausalLM</c>.</summary>
public sealed class Phi3 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 32064, HiddenSize = 3072, IntermediateSize = 8192, MaxPositionEmbeddings = 4096, NormEps = 1e-5, PadTokenId = 32000,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Phi3(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Phi3(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        double dropout = config.GetDouble("resid_pdrop", 0, min: 0, max: 0.999);
        return new DecoderStack(c, i => new Phi3Block(c, i, rotary, dropout), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
