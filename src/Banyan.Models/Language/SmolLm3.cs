using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// SmolLM 3 (Hugging Face 2025): Llama's layers; every fourth has no positions (Yang et al. 2025, arXiv:2501.18795), and the head is tied.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class SmolLm3Block : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal SmolLm3Block(DecoderConfig c, int layer, RotaryEmbedding? rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Window = c.WindowOf(layer) });
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>SmolLM 3 with its language-model head: <c>SmolLM3ForCausalLM</c>.</summary>
public sealed class SmolLm3 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 128256, HiddenSize = 2048, IntermediateSize = 11008, NumHiddenLayers = 36, NumAttentionHeads = 16, NumKeyValueHeads = 4, MaxPositionEmbeddings = 32768,
        TieWordEmbeddings = true, PadTokenId = 128004, Rope = new() { Theta = 2e6 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public SmolLm3(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private SmolLm3(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults);
        return c with { SlidingWindow = config.GetBool("use_sliding_window", false) ? c.SlidingWindow : null };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        int interval = config.GetInt("no_rope_layer_interval", 4, min: 1);
        long[] rotates = config.Has("no_rope_layers") ? config.GetLongs("no_rope_layers") : [.. Enumerable.Range(1, c.NumHiddenLayers).Select(i => i % interval == 0 ? 0L : 1)];
        return rotates.Length == c.NumHiddenLayers
            ? new DecoderStack(c, i => new SmolLm3Block(c, i, rotates[i] != 0 ? rotary : null), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary)
            : throw new CheckpointException(config.Source, $"\"no_rope_layers\" names {rotates.Length} layers; expected {c.NumHiddenLayers}");
    }
}
