using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Llama 4's text model (Meta 2025): three layers with rotary positions that see their own chunk of the context only, for each that has no positions and sees all; every second layer has experts,
// of which a token uses one beside a shared one.

/// <summary>What Llama 4 says besides what all decoders say.</summary>
/// <param name="Chunk">Tokens of a chunk. Default: 8192.</param>
/// <param name="UseQkNorm">Whether queries and keys that rotate have norms, without weights. Default: true.</param>
/// <param name="Tuning">Whether queries without positions grow with the logarithm of how many tokens they see. Default: true.</param>
/// <param name="Floor">Tokens up to which they do not. Default: 8192.</param>
/// <param name="Scale">Factor of that logarithm. Default: 0.1.</param>
/// <param name="DenseInner">Width of the MLP in layers without experts. Default: 16384.</param>
public sealed record Llama4Config(int Chunk, bool UseQkNorm, bool Tuning, double Floor, double Scale, int DenseInner)
{
    internal static Llama4Config Read(ConfigReader c) => new(c.GetInt("attention_chunk_size", 8192, min: 1), c.GetBool("use_qk_norm", true), c.GetBool("attn_temperature_tuning", true),
        c.GetDouble("floor_scale", 8192, min: 1), c.GetDouble("attn_scale", 0.1), c.GetInt("intermediate_size_mlp", 16384, min: 1, max: 1 << 24));
}

/// <summary>Attention with rotary positions and norms, or without positions and scaled.</summary>
public sealed class Llama4Attention : GroupedQueryAttention
{
    private readonly Llama4Config _l;

    internal Llama4Attention(DecoderConfig c, Llama4Config l, int layer, RotaryEmbedding? rotary) : base(c, layer, rotary) => _l = l;

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass)
    {
        if (Rotary is not null)
        {
            (q, k) = base.Meet(q, k, batch, pass);
            return _l.UseQkNorm ? (q.RmsNorm(eps: Config.NormEps), k.RmsNorm(eps: Config.NormEps)) : (q, k);
        }
        return (_l.Tuning ? q * Temperatures(batch, pass) : q, k);
    }

    // (T, 1, 1): 1 + s log(1 + floor((p + 1) / f)) (Nakanishi 2025, arXiv:2501.19399).
    private Tensor Temperatures(TokenBatch batch, ForwardPass pass)
    {
        double[] at = batch.Positions.ToDoubles();
        return pass.Scope.From([.. at.Select(p => (float)(1 + _l.Scale * Math.Log(1 + Math.Floor((p + 1) / _l.Floor))))], [at.Length, 1, 1]);
    }
}

/// <summary>An MLP of all tokens beside the experts, whose input has the sigmoid of its logit as a factor. Experts are stored (E, in, out).</summary>
public sealed class Llama4Experts : Module
{
    private readonly Linear _router;
    private readonly Parameter _gateUp, _down;
    private readonly GatedMlp _shared;
    private readonly Func<Tensor, Tensor> _act;
    private readonly int _each;

    internal Llama4Experts(DecoderConfig c, ExpertsConfig e)
    {
        (_each, _act) = (e.PerToken, Activations.Get(c.HiddenAct));
        Initializer init = Initializer.Normal(c.InitializerRange);
        _router = Add("router", new Linear(c.HiddenSize, e.Count, bias: false, initializer: init));
        _gateUp = Add("experts.gate_up_proj", [e.Count, c.HiddenSize, 2 * e.Inner], init);
        _down = Add("experts.down_proj", [e.Count, e.Inner, c.HiddenSize], init);
        _shared = Add("shared_expert", new GatedMlp(c.HiddenSize, e.Inner, c.HiddenAct, initializerRange: c.InitializerRange));
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        (Tensor logits, Tensor indices) = pass.Routed(this, _router.Forward(x, pass)).TopK(_each);
        Tensor[] gateUp = pass.Scope.Use(_gateUp).Unbind(), down = pass.Scope.Use(_down).Unbind();
        Tensor routed = Experts.Apply(x, logits.Sigmoid(), indices, down.Length, (e, rows) =>
        {
            Tensor[] parts = Ops.Linear.Apply(rows, gateUp[e], null, true).Chunk(2, 1);
            return Ops.Linear.Apply(parts[1] * _act(parts[0]), down[e], null, true);
        }, scaleInput: true);
        return pass.Visit(this, _shared.Forward(x, pass) + routed);
    }
}

/// <summary>x + attention(norm(x)), then x + experts(norm(x)), or an MLP in dense layers.</summary>
public sealed class Llama4Block : Block
{
    private readonly Llama4Attention _attention;
    private readonly Llama4Experts? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Llama4Block(DecoderConfig c, Llama4Config l, int layer, RotaryEmbedding? rotary, ExpertsConfig? e)
    {
        _attention = Add("self_attn", new Llama4Attention(c, l, layer, rotary) { Chunk = c.LayerTypes[layer] == "chunked_attention" ? l.Chunk : null });
        _experts = e is null ? null : Add("feed_forward", new Llama4Experts(c, e));
        _mlp = e is null ? Add("feed_forward", new GatedMlp(c.HiddenSize, l.DenseInner, c.HiddenAct, initializerRange: c.InitializerRange)) : null;
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

/// <summary>Llama 4's text model with its language-model head: <c>Llama4ForCausalLM</c>.</summary>
public sealed class Llama4 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 202048, HiddenSize = 5120, IntermediateSize = 8192, NumHiddenLayers = 48, NumAttentionHeads = 40, NumKeyValueHeads = 8, HeadDim = 128, MaxPositionEmbeddings = 131072,
        NormEps = 1e-5, Rope = new() { Theta = 500000 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Llama4(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(16, 1, 8192, true)))
    {
    }

    private Llama4(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => ExpertsConfig.RefuseJitter(config, "router_jitter_noise");

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        int interval = config.GetInt("no_rope_layer_interval", 4, min: 1), step = config.GetInt("interleave_moe_layer_step", 1, min: 1);
        long[] listed = config.Has("no_rope_layers") ? config.GetLongs("no_rope_layers") : [], sparse = config.Has("moe_layers") ? config.GetLongs("moe_layers")
            : [.. Enumerable.Range(0, c.NumHiddenLayers).Where(i => (i + 1) % step == 0)];
        long[] rotates = listed.Length > 0 ? listed : [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => (i + 1) % interval == 0 ? 0L : 1L)];
        if (rotates.Length != c.NumHiddenLayers)
        {
            throw new CheckpointException(config.Source, $"\"no_rope_layers\" has {rotates.Length} values; expected one for each of {c.NumHiddenLayers} layers");
        }
        DecoderConfig d = c.LayerTypes.Count > 0 ? c : c with { LayerTypes = [.. rotates.Select(r => r != 0 ? "chunked_attention" : "full_attention")] };
        var l = Llama4Config.Read(config);
        var rotary = new RotaryEmbedding(d.Rope, d.RotaryDim, interleaved: true);
        return new DecoderStack(d, i => new Llama4Block(d, l, i, rotates[i] != 0 ? rotary : null, sparse.Contains(i) ? e : null), new RmsNorm(d.HiddenSize, d.NormEps), null, null, rotary);
    }
}
