using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// gpt-oss (OpenAI 2025, arXiv:2508.10925): windows in every second layer, a learned logit of each head that takes attention away from all keys, and experts
// with biases whose gate is clamped.

/// <summary>Attention with sinks.</summary>
public sealed class GptOssAttention : GroupedQueryAttention
{
    private readonly Parameter _sinks;

    internal GptOssAttention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary) =>
        _sinks = Add("sinks", [c.NumAttentionHeads], Initializer.Normal(c.InitializerRange));

    /// <inheritdoc/>
    protected override void Configure(AttentionOptions options, ForwardPass pass) => options.Sinks = pass.Scope.Use(_sinks);
}

/// <summary>The experts: (up + 1) * gate * sigmoid(alpha gate), gate and up taken by turns from one layer and clamped. Weights are stored (E, in, out).</summary>
public sealed class GptOssMlp : Module
{
    private readonly Linear _router;
    private readonly Parameter _gateUp, _gateUpBias, _down, _downBias;
    private readonly Routing _routing;
    private readonly double _limit, _alpha;

    internal GptOssMlp(DecoderConfig c, ExpertsConfig e, double limit, double alpha)
    {
        (_limit, _alpha, _routing) = (limit, alpha, Routings.TopKSoftmax(e.PerToken));
        Initializer init = Initializer.Normal(c.InitializerRange);
        _router = Add("router", new Linear(c.HiddenSize, e.Count, initializer: init));
        _gateUp = Add("experts.gate_up_proj", [e.Count, c.HiddenSize, 2 * e.Inner], init);
        _gateUpBias = Add("experts.gate_up_proj_bias", [e.Count, 2 * e.Inner], Initializer.Zeros);
        _down = Add("experts.down_proj", [e.Count, e.Inner, c.HiddenSize], init);
        _downBias = Add("experts.down_proj_bias", [e.Count, c.HiddenSize], Initializer.Zeros);
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        (Tensor weights, Tensor indices) = _routing(pass.Routed(this, _router.Forward(x, pass)));
        Tensor[] Each(Parameter p) => pass.Scope.Use(p).Unbind();
        Tensor[] gateUp = Each(_gateUp), gateUpBias = Each(_gateUpBias), down = Each(_down), downBias = Each(_downBias);
        return pass.Visit(this, Experts.Apply(x, weights, indices, down.Length, (e, rows) =>
        {
            Tensor both = Ops.Linear.Apply(rows, gateUp[e], gateUpBias[e], true);
            long inner = both.Shape[1] / 2;
            Tensor gate = both.Slice(1, 0, inner, 2).Clamp(max: _limit), up = both.Slice(1, 1, inner, 2).Clamp(-_limit, _limit);
            return Ops.Linear.Apply((up + 1) * (gate * (gate * _alpha).Sigmoid()), down[e], downBias[e], true);
        }));
    }
}

/// <summary>x + attention(norm(x)), then x + experts(norm(x)).</summary>
public sealed class GptOssBlock : Block
{
    private readonly GptOssAttention _attention;
    private readonly GptOssMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal GptOssBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, GptOssMlp mlp)
    {
        _attention = Add("self_attn", new GptOssAttention(c, layer, rotary) { Window = c.WindowOf(layer) });
        _mlp = Add("mlp", mlp);
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

/// <summary>gpt-oss with its language-model head: <c>GptOssForCausalLM</c>.</summary>
public sealed class GptOss : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 201088, HiddenSize = 2880, IntermediateSize = 2880, NumHiddenLayers = 36, NumAttentionHeads = 64, NumKeyValueHeads = 8, HeadDim = 64, MaxPositionEmbeddings = 131072,
        NormEps = 1e-5, AttentionBias = true, SlidingWindow = 128, Rope = new() { Theta = 150000 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public GptOss(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(128, 4, 2880, true)))
    {
    }

    private GptOss(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken, 0.9);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        double limit = config.GetDouble("swiglu_limit", 7, min: 0), alpha = config.GetDouble("swiglu_alpha", 1.702);
        DecoderConfig d = c.LayerTypes.Count > 0 ? c : c with { LayerTypes = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => i % 2 == 0 ? "sliding_attention" : "full_attention")] };
        var rotary = new RotaryEmbedding(d.Rope, d.RotaryDim);
        return new DecoderStack(d, i => new GptOssBlock(d, i, rotary, new GptOssMlp(d, e, limit, alpha)), new RmsNorm(d.HiddenSize, d.NormEps), null, null, rotary);
    }
}
