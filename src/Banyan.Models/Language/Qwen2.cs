using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Qwen 2 (Yang et al. 2024, arXiv:2407.10671): Llama's layers with biases of queries, keys and values; upper layers may have a window.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Qwen2Block : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Qwen2Block(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary, bias: true, outBias: false) { Window = c.WindowOf(layer) });
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

/// <summary>Qwen 2 with its language-model head: <c>Qwen2ForCausalLM</c>.</summary>
public sealed class Qwen2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 151936, IntermediateSize = 22016, MaxPositionEmbeddings = 32768 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Qwen2(ConfigReader config) : this(config, ReadConfig(config, Defaults))
    {
    }

    private Qwen2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    /// <summary>Reads a configuration of the Qwen family, where a window counts only with <c>use_sliding_window</c>, from <c>max_window_layers</c> on.</summary>
    internal static DecoderConfig ReadConfig(ConfigReader config, DecoderConfig defaults)
    {
        DecoderConfig c = DecoderConfig.Read(config, defaults with { SlidingWindow = 4096 });
        int first = config.GetInt("max_window_layers", 28, min: 0);
        IReadOnlyList<string> kinds = c.LayerTypes.Count > 0 ? c.LayerTypes
            : [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => i >= first ? "sliding_attention" : "full_attention")];
        return c with { LayerTypes = kinds, SlidingWindow = config.GetBool("use_sliding_window", false) ? c.SlidingWindow : null };
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Qwen2Block(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
