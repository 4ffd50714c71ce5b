using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Gemma 2 (Gemma Team 2024, arXiv:2408.00118): Gemma with norms before and after each part, soft caps on scores and logits, and a sliding window
// in every second layer.

/// <summary>x + norm(attention(norm(x))), then x + norm(mlp(norm(x))).</summary>
public sealed class Gemma2Block : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _beforeAttention, _afterAttention, _beforeMlp, _afterMlp;

    internal Gemma2Block(DecoderConfig c, int layer, RotaryEmbedding rotary, double scale, double softCap)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Scale = scale, SoftCap = softCap, Window = c.WindowOf(layer) });
        _mlp = Add("mlp", new GatedMlp(c));
        RmsNorm Norm(string name) => Add(name, new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
        (_beforeAttention, _afterAttention) = (Norm("input_layernorm"), Norm("post_attention_layernorm"));
        (_beforeMlp, _afterMlp) = (Norm("pre_feedforward_layernorm"), Norm("post_feedforward_layernorm"));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _afterAttention.Forward(_attention.Forward(_beforeAttention.Forward(x, pass), batch, pass), pass);
        return x + _afterMlp.Forward(_mlp.Forward(_beforeMlp.Forward(x, pass), pass), pass);
    }
}

/// <summary>Gemma 2 with its language-model head: <c>Gemma2ForCausalLM</c>.</summary>
public sealed class Gemma2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256000, HiddenSize = 2304, IntermediateSize = 9216, NumHiddenLayers = 26, NumAttentionHeads = 8, NumKeyValueHeads = 4, HeadDim = 256,
        MaxPositionEmbeddings = 8192, HiddenAct = "gelu_pytorch_tanh", TieWordEmbeddings = true, PadTokenId = 0, SlidingWindow = 4096,
    };

    private readonly double _softCap;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Gemma2(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Gemma2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c)) => _softCap = CapOf(config, "final_logit_softcapping", 30);

    /// <inheritdoc/>
    protected override bool HasPlainHead => _softCap == 0;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass)
    {
        Tensor logits = base.Logits(hidden, pass);
        return _softCap == 0 ? logits : logits.Softcap(_softCap);
    }

    /// <summary>A soft cap of the configuration; 0: none.</summary>
    internal static double CapOf(ConfigReader config, string key, double defaultValue) => config.Has(key) ? config.GetDouble(key, min: 0) : config.Keys.Contains(key) ? 0 : defaultValue;

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys(Act: "hidden_activation"));
        return c.LayerTypes.Count > 0 ? c
            : c with { LayerTypes = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => i % 2 == 0 ? "sliding_attention" : "full_attention")] };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        double scale = 1 / Math.Sqrt(config.GetDouble("query_pre_attn_scalar", 256, min: 1e-6)), cap = CapOf(config, "attn_logit_softcapping", 50);
        return new DecoderStack(c, i => new Gemma2Block(c, i, rotary, scale, cap), new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1), null, null, rotary) { EmbeddingScale = Math.Sqrt(c.HiddenSize) };
    }
}
