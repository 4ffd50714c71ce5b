using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Qwen 3 MoE (Yang et al. 2025, arXiv:2505.09388): Qwen 3's attention, and experts in every layer but those that are named as dense.

/// <summary>x + attention(norm(x)), then x + experts(norm(x)), or an MLP in dense layers.</summary>
public sealed class Qwen3MoeBlock : Block
{
    private readonly Qwen3Attention _attention;
    private readonly MixtureOfExperts? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Qwen3MoeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, ExpertsConfig e, bool isSparse)
    {
        _attention = Add("self_attn", new Qwen3Attention(c, layer, rotary) { Window = c.SlidingWindow });
        _experts = isSparse ? Add("mlp", new MixtureOfExperts(c, e.Inner, e.Count, Routings.SoftmaxTopK(e.PerToken, e.Normalise))) : null;
        _mlp = isSparse ? null : Add("mlp", new GatedMlp(c));
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

/// <summary>Qwen 3 MoE with its language-model head: <c>Qwen3MoeForCausalLM</c>.</summary>
public sealed class Qwen3Moe : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 151936, HiddenSize = 2048, IntermediateSize = 6144, NumHiddenLayers = 24, NumKeyValueHeads = 4, MaxPositionEmbeddings = 32768,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Qwen3Moe(ConfigReader config) : this(config, Qwen2Moe.ReadConfig(config, Defaults), ExpertsConfig.Read(config, new(128, 8, 768, false), "moe_intermediate_size"))
    {
    }

    private Qwen3Moe(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        bool[] isSparse = Qwen2Moe.SparseLayers(config, c.NumHiddenLayers);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Qwen3MoeBlock(c, i, rotary, e, isSparse[i]), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
