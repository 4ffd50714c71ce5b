using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DeepSeek V2 (DeepSeek-AI 2024, arXiv:2405.04434): latent attention, and many small experts beside shared ones; a token chooses groups first.

/// <summary>x + attention(norm(x)), then x + mixture(norm(x)), or an MLP in the first layers.</summary>
public sealed class DeepseekV2Block : Block
{
    private readonly LatentAttention _attention;
    private readonly SharedMixture? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal DeepseekV2Block(DecoderConfig c, int layer, RotaryEmbedding rotary, LatentAttentionConfig l, SharedMixtureConfig m, bool grouped)
    {
        _attention = Add("self_attn", new LatentAttention(c, l, layer, rotary));
        _experts = layer < m.Dense ? null : Add("mlp", new SharedMixture(c, m, correction: false, (logits, _) => SharedMixture.Softmax(logits, m, grouped)));
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

/// <summary>DeepSeek V2 with its language-model head: <c>DeepseekV2ForCausalLM</c>.</summary>
public sealed class DeepseekV2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 32000, IntermediateSize = 11008, MaxPositionEmbeddings = 2048 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public DeepseekV2(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private DeepseekV2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        LatentAttentionConfig l = LatentAttentionConfig.Read(config);
        SharedMixtureConfig m = SharedMixtureConfig.Read(config, new(64, 2, 8, 1407, 1, 1, false, 1, 0));
        bool grouped = config.GetChoice("topk_method", ["greedy", "group_limited_greedy"], "greedy") == "group_limited_greedy";
        var rotary = new RotaryEmbedding(c.Rope, l.RotaryDim, interleaved: true);
        return new DecoderStack(c, i => new DeepseekV2Block(c, i, rotary, l, m, grouped), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
