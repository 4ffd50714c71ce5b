using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Phi-3.5-MoE (Abdin et al. 2024, arXiv:2404.14219): sixteen experts, two chosen by SparseMixer; layer norms with biases.

/// <summary>x + attention(norm(x)), then x + experts(norm(x)).</summary>
public sealed class PhiMoeBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly MixtureOfExperts _experts;
    private readonly LayerNorm _attentionNorm, _expertsNorm;

    internal PhiMoeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, ExpertsConfig e, double noise)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Window = c.SlidingWindow });
        _experts = Add("block_sparse_moe", new MixtureOfExperts(c, e.Inner, e.Count, Routings.SparseMixer(noise), "w1", "w3", "w2"));
        _attentionNorm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _expertsNorm = Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _experts.Forward(_expertsNorm.Forward(x, pass), pass);
    }
}

/// <summary>Phi-3.5-MoE with its language-model head: <c>PhimoeForCausalLM</c>.</summary>
public sealed class PhiMoe : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 32064, IntermediateSize = 6400, NumKeyValueHeads = 8, MaxPositionEmbeddings = 131072, NormEps = 1e-5, Rope = new() { Theta = 1e6 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public PhiMoe(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(16, 2, 6400, true)))
    {
    }

    private PhiMoe(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e), headBias: config.GetBool("lm_head_bias", false)) =>
        RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        if (e.PerToken != 2)
        {
            throw new CheckpointException(config.Source, $"\"num_experts_per_tok\" is {e.PerToken}; expected 2, which is what SparseMixer chooses");
        }
        ExpertsConfig.RefuseJitter(config, "input_jitter_noise");
        double noise = config.GetDouble("router_jitter_noise", 0.01, min: 0);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new PhiMoeBlock(c, i, rotary, e, noise), new LayerNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
