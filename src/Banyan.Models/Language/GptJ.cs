using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// GPT-J (Wang and Komatsuzaki 2021): attention and MLP in parallel behind one layer norm; the first elements of each head rotate as pairs of neighbours.

/// <summary>x + attention(norm(x)) + mlp(norm(x)).</summary>
public sealed class GptJBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _norm;

    internal GptJBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _norm = Add("ln_1", new LayerNorm(c.HiddenSize, c.NormEps));
        _attention = Add("attn", new GroupedQueryAttention(c, layer, rotary, bias: false, outName: "out_proj"));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "fc_in", "fc_out", c.InitializerRange));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _norm.Forward(x, pass);
        return x + _attention.Forward(h, batch, pass) + _mlp.Forward(h, pass);
    }
}

/// <summary>GPT-J with its language-model head: <c>GPTJForCausalLM</c>.</summary>
public sealed class GptJ : StackedLanguageModel
{
    internal static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50400, IntermediateSize = 0, NumHiddenLayers = 28, NumAttentionHeads = 16, NormEps = 1e-5, HiddenAct = "gelu_new",
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public GptJ(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, DecoderKeys.Gpt) with { PadTokenId = null })
    {
    }

    private GptJ(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer", headBias: true)
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, config.GetInt("rotary_dim", Math.Min(64, c.HeadDim), min: 2, max: c.HeadDim), interleaved: true);
        return new DecoderStack(c, i => new GptJBlock(c, i, rotary), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("wte", "h", "ln_f"), null, rotary);
    }
}
