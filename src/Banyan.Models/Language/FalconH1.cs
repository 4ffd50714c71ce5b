using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Falcon H1 (Zuo et al. 2025, arXiv:2507.22448): each layer has attention and Mamba 2 side by side, and each of its parts a multiplier of maximal update parametrisation.

/// <summary>The multipliers, by the keys of <c>config.json</c>.</summary>
/// <param name="Embedding">Factor of the embeddings.</param>
/// <param name="Logits">Factor of the logits.</param>
/// <param name="AttentionIn">Factor of what attention gets.</param>
/// <param name="AttentionOut">Factor of what it gives.</param>
/// <param name="Key">Factor of the keys.</param>
/// <param name="ScanIn">Factor of what the scan gets.</param>
/// <param name="ScanOut">Factor of what it gives.</param>
/// <param name="Gate">Factor of the MLP's gate.</param>
/// <param name="Down">Factor of what the MLP gives.</param>
public sealed record FalconH1Multipliers(double Embedding, double Logits, double AttentionIn, double AttentionOut, double Key, double ScanIn, double ScanOut, double Gate, double Down)
{
    internal static FalconH1Multipliers Read(ConfigReader c)
    {
        double[] mlp = List(c, "mlp_multipliers", 2);
        return new(c.GetDouble("embedding_multiplier", 1), c.GetDouble("lm_head_multiplier", 1), c.GetDouble("attention_in_multiplier", 1), c.GetDouble("attention_out_multiplier", 1),
            c.GetDouble("key_multiplier", 1), c.GetDouble("ssm_in_multiplier", 1), c.GetDouble("ssm_out_multiplier", 1), mlp[0], mlp[1]);
    }

    internal static double[] List(ConfigReader c, string key, int count)
    {
        double[] list = c.Has(key) ? c.GetDoubles(key) : [.. Enumerable.Repeat(1.0, count)];
        return list.Length == count ? list : throw new CheckpointException(c.Source, $"\"{key}\" has {list.Length} values; expected {count}");
    }
}

/// <summary>Attention whose keys have a factor.</summary>
public sealed class FalconH1Attention : GroupedQueryAttention
{
    private readonly double _factor;

    internal FalconH1Attention(DecoderConfig c, int layer, RotaryEmbedding rotary, double factor) : base(c, layer, rotary) => _factor = factor;

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) => base.Meet(q, k * _factor, batch, pass);
}

/// <summary>down(silu(factor * gate(x)) * up(x)).</summary>
public sealed class FalconH1Mlp : Module
{
    private readonly Linear _gate, _up, _down;
    private readonly Func<Tensor, Tensor> _act;
    private readonly FalconH1Multipliers _m;

    internal FalconH1Mlp(DecoderConfig c, FalconH1Multipliers m)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _gate = Add("gate_proj", new Linear(c.HiddenSize, c.IntermediateSize, c.MlpBias, initializer: init));
        _up = Add("up_proj", new Linear(c.HiddenSize, c.IntermediateSize, c.MlpBias, initializer: init));
        _down = Add("down_proj", new Linear(c.IntermediateSize, c.HiddenSize, c.MlpBias, initializer: init));
        (_act, _m) = (Activations.Get(c.HiddenAct), m);
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) =>
        pass.Visit(this, _down.Forward(_act(_gate.Forward(x, pass) * _m.Gate) * _up.Forward(x, pass), pass) * _m.Down);
}

/// <summary>x + scan(norm(x)) + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class FalconH1Block : Block
{
    private readonly FalconH1Attention _attention;
    private readonly Mamba2Mixer _mamba;
    private readonly FalconH1Mlp _mlp;
    private readonly RmsNorm _mixNorm, _mlpNorm;
    private readonly FalconH1Multipliers _m;

    internal FalconH1Block(DecoderConfig c, int layer, RotaryEmbedding rotary, Mamba2Config mamba, FalconH1Multipliers m)
    {
        _m = m;
        _attention = Add("self_attn", new FalconH1Attention(c, layer, rotary, m.Key));
        _mamba = Add("mamba", new Mamba2Mixer(mamba, layer));
        _mlp = Add("feed_forward", new FalconH1Mlp(c, m));
        _mixNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("pre_ff_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _mixNorm.Forward(x, pass);
        x += _mamba.Forward(h * _m.ScanIn, batch, pass) * _m.ScanOut + _attention.Forward(h * _m.AttentionIn, batch, pass) * _m.AttentionOut;
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>Falcon H1 with its language-model head: <c>FalconH1ForCausalLM</c>.</summary>
public sealed class FalconH1 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 128000, IntermediateSize = 14336, NumKeyValueHeads = 8, MaxPositionEmbeddings = 8192, NormEps = 1e-5, PadTokenId = 0, Rope = new() { Theta = 100000 },
    };

    private readonly FalconH1Multipliers _multipliers;

    /// <summary>A model without weights; initialise or load it.</summary>
    public FalconH1(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults), FalconH1Multipliers.Read(config))
    {
    }

    private FalconH1(ConfigReader config, DecoderConfig c, FalconH1Multipliers m) : base(config, c, Stack(config, c, m)) => _multipliers = m;

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => base.Hidden(batch, pass) * _multipliers.Logits;

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c, FalconH1Multipliers m)
    {
        config.GetChoice("hidden_act", ["silu", "swish"], "silu");
        Mamba2Config mamba = Mamba2Config.ReadHybrid(config, c) with
        {
            GatedNorm = config.GetBool("mamba_rms_norm", false), NormFirst = config.GetBool("mamba_norm_before_gate", true), Factors = FalconH1Multipliers.List(config, "ssm_multipliers", 5),
            OutBias = config.GetBool("projectors_bias", false),
        };
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new FalconH1Block(c, i, rotary, mamba, m), new RmsNorm(c.HiddenSize, c.NormEps), new StackNames(Norm: "final_layernorm"), null, rotary) { EmbeddingScale = m.Embedding };
    }
}
