using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// OLMoE (Muennighoff et al. 2024, arXiv:2409.02060): 64 small experts, eight of which each token uses; norms over the whole width of queries and keys, as in OLMo 2.

/// <summary>x + attention(norm(x)), then x + experts(norm(x)).</summary>
public sealed class OlmoeBlock : Block
{
    private readonly Olmo2Attention _attention;
    private readonly MixtureOfExperts _experts;
    private readonly RmsNorm _attentionNorm, _expertsNorm;

    internal OlmoeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, ExpertsConfig e)
    {
        _attention = Add("self_attn", new Olmo2Attention(c, layer, rotary));
        _experts = Add("mlp", new MixtureOfExperts(c, e.Inner, e.Count, Routings.SoftmaxTopK(e.PerToken, e.Normalise)));
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

/// <summary>OLMoE with its language-model head: <c>OlmoeForCausalLM</c>.</summary>
public sealed class Olmoe : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 50304, HiddenSize = 2048, IntermediateSize = 2048, NumHiddenLayers = 16, NumAttentionHeads = 16, MaxPositionEmbeddings = 4096, NormEps = 1e-5 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Olmoe(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(64, 8, 2048, false)))
    {
    }

    private Olmoe(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken, 0.01);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        if (config.Has("clip_qkv"))
        {
            throw new CheckpointException(config.Source, "\"clip_qkv\" is set; expected null: clipped queries, keys and values are not supported here");
        }
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new OlmoeBlock(c, i, rotary, e), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
