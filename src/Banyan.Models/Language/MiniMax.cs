using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// MiniMax-01 (MiniMax 2025, arXiv:2501.08313): seven of eight layers are lightning attention, a memory that fades by a rate of each head and layer; the eighth is softmax attention. All have
// experts. Norms lie behind the sums: what is carried past a part is its normed input.

/// <summary>out(sigmoid(gate(x)) * norm(memory(act(qkv(x))))).</summary>
public sealed class LightningAttention : Module
{
    private const double NormEps = 1e-6;   // the norm's own, whatever the model's is

    private readonly int _layer, _block;
    private readonly Linear _qkv, _gate, _out;
    private readonly RmsNorm _norm;
    private readonly double[] _gammas;
    private readonly Func<Tensor, Tensor> _act;
    private readonly DecoderConfig _c;

    internal LightningAttention(DecoderConfig c, int layer, int block)
    {
        (_c, _layer, _block, _act) = (c, layer, block, Activations.Get(c.HiddenAct));
        Initializer init = Initializer.Normal(c.InitializerRange);
        int inner = c.NumAttentionHeads * c.HeadDim;
        _norm = Add("norm", new RmsNorm(inner, NormEps));
        _qkv = Add("qkv_proj", new Linear(c.HiddenSize, 3 * inner, bias: false, initializer: init));
        _out = Add("out_proj", new Linear(inner, c.HiddenSize, bias: false, initializer: init));
        _gate = Add("output_gate", new Linear(c.HiddenSize, inner, bias: false, initializer: init));
        // ALiBi's slopes, smaller the deeper the layer.
        double depth = 1 - layer / (c.NumHiddenLayers - 1 + 1e-5) + 1e-5;
        _gammas = [.. Enumerable.Range(1, c.NumAttentionHeads).Select(h => Math.Exp(-Math.Pow(2, -8.0 * h / c.NumAttentionHeads) * depth))];
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor[] qkv = _act(_qkv.Forward(x, pass)).Reshape(x.Shape[0], _c.NumAttentionHeads, 3 * _c.HeadDim).Chunk(3, 2);   // a head's query, its key, its value
        Tensor q = qkv[0], k = qkv[1], v = batch.ZeroPadding(qkv[2]);
        // In chunks for training; token by token otherwise, which has the same bits with a cache and without.
        Tensor o = batch.Recur(_layer, "memory", (span, state) =>
        {
            Tensor Own(Tensor t) => t.Slice(0, span.QueryStart, span.QueryLength).Transpose(0, 1).Unsqueeze(0);
            (Tensor y, Tensor next) = Retention.Apply(Own(q), Own(k), Own(v), _gammas, pass.Training ? _block : 1, state?.Clone(x.Scope));
            return (y.Squeeze(0).Transpose(0, 1), next);
        });
        o = _norm.Forward(o.Reshape(x.Shape[0], -1), pass);
        return pass.Visit(this, _out.Forward(_gate.Forward(x, pass).Sigmoid() * o, pass));
    }
}

/// <summary>h = norm(x), x = a h + b attention(h); then h = norm(x), x = a h + b experts(h).</summary>
public sealed class MiniMaxBlock : Block
{
    private readonly LightningAttention? _memory;
    private readonly GroupedQueryAttention? _attention;
    private readonly MixtureOfExperts _experts;
    private readonly RmsNorm _attentionNorm, _expertsNorm;
    private readonly (double Past, double Part) _attentionFactors, _expertsFactors;

    internal MiniMaxBlock(ConfigReader config, DecoderConfig c, int layer, RotaryEmbedding rotary, ExpertsConfig e)
    {
        bool linear = c.LayerTypes.Count > 0 ? c.LayerTypes[layer] == "linear_attention" : layer % 2 == 0;
        int block = config.GetInt("block_size", 256, min: 1, max: 1 << 16);
        _memory = linear ? Add("self_attn", new LightningAttention(c, layer, block)) : null;
        _attention = linear ? null : Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Window = c.SlidingWindow });
        _experts = Add("block_sparse_moe", new MixtureOfExperts(c, e.Inner, e.Count, Routings.SoftmaxTopK(e.PerToken, normalise: true), "w1", "w3", "w2"));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _expertsNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        (_attentionFactors, _expertsFactors) = (Factors(config, linear ? "linear_attn" : "full_attn"), Factors(config, "mlp"));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _attentionNorm.Forward(x, pass);
        Tensor part = _attention is not null ? _attention.Forward(h, batch, pass) : _memory!.Forward(h, batch, pass);
        x = h * _attentionFactors.Past + part * _attentionFactors.Part;
        h = _expertsNorm.Forward(x, pass);
        return h * _expertsFactors.Past + _experts.Forward(h, pass) * _expertsFactors.Part;
    }

    private static (double Past, double Part) Factors(ConfigReader config, string part) => (config.GetDouble($"{part}_alpha_factor", 1), config.GetDouble($"{part}_beta_factor", 1));
}

/// <summary>MiniMax-01 with its language-model head: <c>MiniMaxForCausalLM</c>.</summary>
public sealed class MiniMax : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { IntermediateSize = 14336, NumKeyValueHeads = 8, MaxPositionEmbeddings = 131072, NormEps = 1e-5, Rope = new() { Theta = 1e6 } };

    /// <summary>A model without weights; initialise or load it.</summary>
    public MiniMax(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(8, 2, 14336, true)))
    {
    }

    private MiniMax(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    // The checkpoints hold the powers of each head's rate, which follow from the configuration.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => base.IsRedundant(checkpointName) || checkpointName.EndsWith("_decay", StringComparison.Ordinal)
        || checkpointName.EndsWith(".slope_rate", StringComparison.Ordinal);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        ExpertsConfig.RefuseJitter(config, "router_jitter_noise");
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new MiniMaxBlock(config, c, i, rotary, e), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
