using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DeepSeek V3 (DeepSeek-AI 2024, arXiv:2412.19437): V2's layers with sigmoid scores, whose balance comes from a bias instead of a loss. The layers that
// predict further tokens are not part of the model here, as in the reference.

/// <summary>x + attention(norm(x)), then x + mixture(norm(x)), or an MLP in the first layers.</summary>
public sealed class DeepseekV3Block : Block
{
    private readonly LatentAttention _attention;
    private readonly SharedMixture? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal DeepseekV3Block(DecoderConfig c, int layer, RotaryEmbedding rotary, LatentAttentionConfig l, SharedMixtureConfig m)
    {
        _attention = Add("self_attn", new LatentAttention(c, l, layer, rotary));
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

/// <summary>DeepSeek V3 with its language-model head: <c>DeepseekV3ForCausalLM</c>.</summary>
public sealed class DeepseekV3 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 129280, HiddenSize = 7168, IntermediateSize = 18432, NumHiddenLayers = 61, NumAttentionHeads = 128, MaxPositionEmbeddings = 4096 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public DeepseekV3(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private DeepseekV3(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        LatentAttentionConfig l = LatentAttentionConfig.Read(config);
        SharedMixtureConfig m = SharedMixtureConfig.Read(config, new(256, 1, 8, 2048, 8, 4, true, 2.5, 3));
        var rotary = new RotaryEmbedding(c.Rope, l.RotaryDim, interleaved: config.GetBool("rope_interleave", true));
        return new DecoderStack(c, i => new DeepseekV3Block(c, i, rotary, l, m), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
