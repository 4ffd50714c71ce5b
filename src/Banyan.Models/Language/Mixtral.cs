using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Mixtral (Jiang et al. 2024, arXiv:2401.04088): Mistral's layers with eight experts in place of the MLP, two of which each token uses.

/// <summary>x + attention(norm(x)), then x + experts(norm(x)).</summary>
public sealed class MixtralBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly MixtureOfExperts _experts;
    private readonly RmsNorm _attentionNorm, _expertsNorm;

    internal MixtralBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, ExpertsConfig e)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Window = c.SlidingWindow });
        _experts = Add("block_sparse_moe", new MixtureOfExperts(c, e.Inner, e.Count, Routings.SoftmaxTopK(e.PerToken, normalise: true), "w1", "w3", "w2"));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _expertsNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _experts.Forward(_expertsNorm.Forward(x, pass), pass);
    }
}

/// <summary>Mixtral with its language-model head: <c>MixtralForCausalLM</c>.</summary>
public sealed class Mixtral : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { IntermediateSize = 14336, NumKeyValueHeads = 8, MaxPositionEmbeddings = 131072, NormEps = 1e-5, Rope = new() { Theta = 1e6 } };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Mixtral(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(8, 2, 14336, true)))
    {
    }

    private Mixtral(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        ExpertsConfig.RefuseJitter(config, "router_jitter_noise");
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new MixtralBlock(c, i, rotary, e), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
