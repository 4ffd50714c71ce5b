using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Gemma 3 (Gemma Team 2025, arXiv:2503.19786), its text part: Gemma 2 with norms of queries and keys instead of soft caps, five windowed layers for
// each full one, and another rotary base in each kind.

/// <summary>Attention with norms of queries and keys before they rotate.</summary>
public sealed class Gemma3Attention : GroupedQueryAttention
{
    private readonly RmsNorm _queryNorm, _keyNorm;

    internal Gemma3Attention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary)
    {
        _queryNorm = Add("q_norm", new RmsNorm(c.HeadDim, c.NormEps, weightOffset: 1));
        _keyNorm = Add("k_norm", new RmsNorm(c.HeadDim, c.NormEps, weightOffset: 1));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm.Forward(q, pass), _keyNorm.Forward(k, pass), batch, pass);
}

/// <summary>x + norm(attention(norm(x))), then x + norm(mlp(norm(x))).</summary>
public sealed class Gemma3Block : Block
{
    private readonly Gemma3Attention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _beforeAttention, _afterAttention, _beforeMlp, _afterMlp;

    internal Gemma3Block(DecoderConfig c, int layer, RotaryEmbedding rotary, double scale, double softCap)
    {
        _attention = Add("self_attn", new Gemma3Attention(c, layer, rotary) { Scale = scale, SoftCap = softCap, Window = c.WindowOf(layer) });
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

/// <summary>Gemma 3 with its language-model head: <c>Gemma3ForCausalLM</c>.</summary>
public sealed class Gemma3 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 262208, HiddenSize = 2304, IntermediateSize = 9216, NumHiddenLayers = 26, NumAttentionHeads = 8, NumKeyValueHeads = 4, HeadDim = 256,
        MaxPositionEmbeddings = 131072, HiddenAct = "gelu_pytorch_tanh", TieWordEmbeddings = true, PadTokenId = 0, SlidingWindow = 4096,
    };

    private readonly double _softCap;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Gemma3(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Gemma3(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c)) => _softCap = Gemma2.CapOf(config, "final_logit_softcapping", 0);

    /// <inheritdoc/>
    protected override bool HasPlainHead => _softCap == 0;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass)
    {
        Tensor logits = base.Logits(hidden, pass);
        return _softCap == 0 ? logits : logits.Softcap(_softCap);
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        ConfigChecks.Only(config, "use_bidirectional_attention", false, "a decoder sees what comes before");
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys(Act: "hidden_activation"));
        int pattern = config.GetInt("sliding_window_pattern", config.GetInt("_sliding_window_pattern", 6, min: 1), min: 1);
        return c.LayerTypes.Count > 0 ? c
            : c with { LayerTypes = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => (i + 1) % pattern != 0 ? "sliding_attention" : "full_attention")] };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var full = new RotaryEmbedding(RopeParameters.Read(config, c.MaxPositionEmbeddings, 1e6, "full_attention"), c.RotaryDim);
        var local = new RotaryEmbedding(config.GetOptionalObject("rope_parameters")?.Has("sliding_attention") == true
            ? RopeParameters.Read(config, c.MaxPositionEmbeddings, 1e4, "sliding_attention")
            : new RopeParameters { Theta = config.GetDouble("rope_local_base_freq", 1e4, min: 0) }, c.RotaryDim);
        double scale = 1 / Math.Sqrt(config.GetDouble("query_pre_attn_scalar", 256, min: 1e-6)), cap = Gemma2.CapOf(config, "attn_logit_softcapping", 0);
        return new DecoderStack(c, i => new Gemma3Block(c, i, c.WindowOf(i) is null ? full : local, scale, cap), new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1), null, null, full, local)
        {
            EmbeddingScale = Math.Sqrt(c.HiddenSize),
        };
    }
}
