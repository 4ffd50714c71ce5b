using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Command R7B (Cohere 2025, arXiv:2504.00698): Command R's parallel block; three windowed layers with rotary positions for each full one without any.

/// <summary>x + attention(norm(x)) + mlp(norm(x)).</summary>
public sealed class Cohere2Block : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly LayerNorm _norm;

    internal Cohere2Block(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        int? window = c.WindowOf(layer);
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, window is null ? null : rotary) { Window = window });
        _mlp = Add("mlp", new GatedMlp(c));
        _norm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps, bias: false));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _norm.Forward(x, pass);
        return x + _attention.Forward(h, batch, pass) + _mlp.Forward(h, pass);
    }
}

/// <summary>Command R7B with its language-model head: <c>Cohere2ForCausalLM</c>.</summary>
public sealed class Cohere2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256000, HiddenSize = 8192, IntermediateSize = 22528, NumHiddenLayers = 40, NumAttentionHeads = 64, MaxPositionEmbeddings = 8192, NormEps = 1e-5,
        TieWordEmbeddings = true, PadTokenId = 0, SlidingWindow = 4096,
    };

    private readonly double _logitScale;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Cohere2(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Cohere2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c)) => _logitScale = config.GetDouble("logit_scale", 0.0625);

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => base.Hidden(batch, pass) * _logitScale;

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "layer_norm_eps"));
        int pattern = config.GetInt("sliding_window_pattern", 4, min: 1);
        return c.LayerTypes.Count > 0 ? c
            : c with { LayerTypes = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => (i + 1) % pattern != 0 ? "sliding_attention" : "full_attention")] };
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim, interleaved: true);
        return new DecoderStack(c, i => new Cohere2Block(c, i, rotary), new LayerNorm(c.HiddenSize, c.NormEps, bias: false), null, null, rotary);
    }
}
