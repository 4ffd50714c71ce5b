using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Qwen 1.5 / 2 MoE (Qwen Team 2024, arXiv:2407.10671): many small experts, and one that every token uses, weighed by a gate of its own.

/// <summary>sigmoid(gate(x)) times an MLP of all tokens, beside the mixture.</summary>
public sealed class Qwen2MoeMlp : Module
{
    private readonly Linear _router, _sharedGate;
    private readonly GatedMlp[] _experts;
    private readonly GatedMlp _shared;
    private readonly Routing _routing;

    internal Qwen2MoeMlp(DecoderConfig c, ExpertsConfig e, int sharedInner)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _routing = Routings.SoftmaxTopK(e.PerToken, e.Normalise);
        _router = Add("gate", new Linear(c.HiddenSize, e.Count, bias: false, initializer: init));
        _experts = [.. Enumerable.Range(0, e.Count).Select(i => Add($"experts.{i}", new GatedMlp(c.HiddenSize, e.Inner, c.HiddenAct, initializerRange: c.InitializerRange)))];
        _shared = Add("shared_expert", new GatedMlp(c.HiddenSize, sharedInner, c.HiddenAct, initializerRange: c.InitializerRange));
        _sharedGate = Add("shared_expert_gate", new Linear(c.HiddenSize, 1, bias: false, initializer: init));
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        (Tensor weights, Tensor indices) = _routing(pass.Routed(this, _router.Forward(x, pass)));
        Tensor routed = Experts.Apply(x, weights, indices, _experts.Length, (e, rows) => _experts[e].Forward(rows, pass));
        return pass.Visit(this, routed + _sharedGate.Forward(x, pass).Sigmoid() * _shared.Forward(x, pass));
    }
}

/// <summary>x + attention(norm(x)), then x + experts(norm(x)), or an MLP in dense layers.</summary>
public sealed class Qwen2MoeBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Qwen2MoeMlp? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Qwen2MoeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, ExpertsConfig e, int sharedInner, bool isSparse, bool bias)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary, bias, outBias: false) { Window = c.WindowOf(layer) });
        _experts = isSparse ? Add("mlp", new Qwen2MoeMlp(c, e, sharedInner)) : null;
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

/// <summary>Qwen 2 MoE with its language-model head: <c>Qwen2MoeForCausalLM</c>.</summary>
public sealed class Qwen2Moe : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 151936, HiddenSize = 2048, IntermediateSize = 5632, NumHiddenLayers = 24, NumAttentionHeads = 16, NumKeyValueHeads = 16, MaxPositionEmbeddings = 32768,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Qwen2Moe(ConfigReader config) : this(config, Qwen2.ReadConfig(config, Defaults), ExpertsConfig.Read(config, new(60, 4, 1408, false), "moe_intermediate_size"))
    {
    }

    private Qwen2Moe(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    /// <summary>Reads a configuration whose window counts, in every layer, only with <c>use_sliding_window</c>.</summary>
    internal static DecoderConfig ReadConfig(ConfigReader config, DecoderConfig defaults)
    {
        DecoderConfig c = DecoderConfig.Read(config, defaults with { SlidingWindow = 4096 });
        return c with { SlidingWindow = config.GetBool("use_sliding_window", false) ? c.SlidingWindow : null };
    }

    /// <summary>Which layers have experts: every <c>decoder_sparse_step</c>-th that <c>mlp_only_layers</c> does not name.</summary>
    internal static bool[] SparseLayers(ConfigReader config, int layers)
    {
        int step = config.GetInt("decoder_sparse_step", 1, min: 1);
        long[] dense = config.GetLongs("mlp_only_layers");
        return [.. Enumerable.Range(0, layers).Select(i => !dense.Contains(i) && (i + 1) % step == 0)];
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        bool[] isSparse = SparseLayers(config, c.NumHiddenLayers);
        int shared = config.GetInt("shared_expert_intermediate_size", 5632, min: 1);
        bool bias = config.GetBool("qkv_bias", true);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Qwen2MoeBlock(c, i, rotary, e, shared, isSparse[i], bias), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
