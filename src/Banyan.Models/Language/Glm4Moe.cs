using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// GLM-4.5 (GLM Team 2025, arXiv:2508.06471): DeepSeek V3's mixture under grouped-query attention, half of each head rotates.

/// <summary>x + attention(norm(x)), then x + mixture(norm(x)), or an MLP in the first layers.</summary>
public sealed class Glm4MoeBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly SharedMixture? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Glm4MoeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool qkNorm, SharedMixtureConfig m)
    {
        _attention = Add("self_attn", qkNorm ? new Qwen3Attention(c, layer, rotary, c.AttentionBias, outBias: false) : new GroupedQueryAttention(c, layer, rotary, outBias: false));
        _experts = layer < m.Dense ? null : Add("mlp", new SharedMixture(c, m, correction: true, (logits, bias) => SharedMixture.Sigmoid(logits, bias, m)));
        _mlp = layer < m.Dense ? Add("mlp", new GatedMlp(c)) : null;
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        Tensor h = _mlpNorm.Forward(x, pass);
        return x + (_experts is null ? _mlp!.Forward(h, pass) : _experts.Forward(h, pass));
    }
}

/// <summary>GLM-4.5 with its language-model head: <c>Glm4MoeForCausalLM</c>.</summary>
public sealed class Glm4Moe : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 151552, IntermediateSize = 10944, NumHiddenLayers = 46, NumAttentionHeads = 96, NumKeyValueHeads = 8, HeadDim = 128, MaxPositionEmbeddings = 131072,
        NormEps = 1e-5, PartialRotaryFactor = 0.5,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Glm4Moe(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Glm4Moe(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        SharedMixtureConfig m = SharedMixtureConfig.Read(config, new(128, 1, 8, 1408, 1, 1, true, 1, 1));
        bool qkNorm = config.GetBool("use_qk_norm", false);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Glm4MoeBlock(c, i, rotary, qkNorm, m), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
