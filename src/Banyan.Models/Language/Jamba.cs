using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Jamba (Lieber et al. 2024, arXiv:2403.19887): one layer of eight is attention, without positions, the others are Mamba's; every second has experts.

/// <summary>x + attention or scan(norm(x)), then x + mlp or experts(norm(x)).</summary>
public sealed class JambaBlock : Block
{
    private readonly GroupedQueryAttention? _attention;
    private readonly MambaMixer? _mamba;
    private readonly MixtureOfExperts? _experts;
    private readonly GatedMlp? _mlp;
    private readonly RmsNorm _mixNorm, _mlpNorm;

    internal JambaBlock(DecoderConfig c, int layer, MambaConfig? mamba, ExpertsConfig? e)
    {
        _attention = mamba is null ? Add("self_attn", new GroupedQueryAttention(c, layer, null)) : null;
        _mamba = mamba is null ? null : Add("mamba", new MambaMixer(mamba, layer, c.NormEps));
        _experts = e is null ? null : Add("feed_forward", new MixtureOfExperts(c, e.Inner, e.Count, Routings.SoftmaxTopK(e.PerToken, normalise: false), router: "router"));
        _mlp = e is null ? Add("feed_forward", new GatedMlp(c)) : null;
        _mixNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("pre_ff_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _mixNorm.Forward(x, pass);
        x += _attention is not null ? _attention.Forward(h, batch, pass) : _mamba!.Forward(h, batch, pass);
        h = _mlpNorm.Forward(x, pass);
        return x + (_experts is not null ? _experts.Forward(h, pass) : _mlp!.Forward(h, pass));
    }
}

/// <summary>Jamba with its language-model head: <c>JambaForCausalLM</c>.</summary>
public sealed class Jamba : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 65536, IntermediateSize = 14336, NumKeyValueHeads = 8, MaxPositionEmbeddings = 262144, PadTokenId = 0 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Jamba(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), ExpertsConfig.Read(config, new(16, 2, 14336, false)))
    {
    }

    private Jamba(ConfigReader config, DecoderConfig c, ExpertsConfig e) : base(config, c, Stack(config, c, e)) => RouterLoss = RouterLoss.Read(config, e.Count, e.PerToken);

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, ExpertsConfig e)
    {
        bool[] attention = Every(config, "attn_layer", c.NumHiddenLayers, 8, 4), experts = Every(config, "expert_layer", c.NumHiddenLayers, 2, 1);
        MambaConfig m = new()
        {
            HiddenSize = c.HiddenSize, IntermediateSize = config.GetInt("mamba_expand", 2, min: 1, max: 64) * c.HiddenSize, StateSize = config.GetInt("mamba_d_state", 16, min: 1, max: 1 << 16),
            ConvKernel = config.GetInt("mamba_d_conv", 4, min: 2, max: 1 << 10), UseConvBias = config.GetBool("mamba_conv_bias", true), UseBias = config.GetBool("mamba_proj_bias", false),
            TimeStepRank = MambaConfig.Rank(config, "mamba_dt_rank", c.HiddenSize),
            HiddenAct = c.HiddenAct, InitializerRange = c.InitializerRange,
        };
        return new DecoderStack(c, i => new JambaBlock(c, i, attention[i] ? null : m, experts[i] && e.Count > 1 ? e : null), new RmsNorm(c.HiddenSize, c.NormEps), new StackNames(Norm: "final_layernorm"));
    }

    private static bool[] Every(ConfigReader config, string key, int layers, int period, int offset)
    {
        (period, offset) = (config.GetInt($"{key}_period", period, min: 1), config.GetInt($"{key}_offset", offset, min: 0));
        return [.. Enumerable.Range(0, layers).Select(i => i % period == offset)];
    }
}
