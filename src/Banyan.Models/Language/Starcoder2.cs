using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// StarCoder 2 (Lozhkov et al. 2024, arXiv:2402.19173): grouped-query attention and rotary positions with GPT-2's layer norms, biases and plain MLP.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Starcoder2Block : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;

    internal Starcoder2Block(DecoderConfig c, int layer, RotaryEmbedding rotary, bool bias, double dropout)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary, bias) { Window = c.SlidingWindow });
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, bias, "c_fc", "c_proj", c.InitializerRange, dropout));
        _attentionNorm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>StarCoder 2 with its language-model head: <c>Starcoder2ForCausalLM</c>.</summary>
public sealed class Starcoder2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 49152, HiddenSize = 3072, IntermediateSize = 12288, NumHiddenLayers = 30, NumAttentionHeads = 24, NumKeyValueHeads = 2, MaxPositionEmbeddings = 4096,
        NormEps = 1e-5, HiddenAct = "gelu_pytorch_tanh", TieWordEmbeddings = true, InitializerRange = 0.018042,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Starcoder2(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "norm_epsilon")))
    {
    }

    private Starcoder2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        bool bias = config.GetBool("use_bias", true);
        double dropout = config.GetDouble("residual_dropout", 0, min: 0, max: 0.999);
        return new DecoderStack(c, i => new Starcoder2Block(c, i, rotary, bias, dropout), new LayerNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
