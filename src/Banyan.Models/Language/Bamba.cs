using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Bamba (IBM, Princeton, CMU, UIUC 2024): Mamba 2's layers, some of them replaced by attention with rotary positions; an MLP behind each.

/// <summary>x + attention or scan(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class BambaBlock : Block
{
    private readonly GroupedQueryAttention? _attention;
    private readonly Mamba2Mixer? _mamba;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _mixNorm, _mlpNorm;

    internal BambaBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, Mamba2Config? mamba)
    {
        _attention = mamba is null ? Add("self_attn", new GroupedQueryAttention(c, layer, rotary)) : null;
        _mamba = mamba is null ? null : Add("mamba", new Mamba2Mixer(mamba, layer));
        _mlp = Add("feed_forward", new GatedMlp(c));
        _mixNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("pre_ff_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _mixNorm.Forward(x, pass);
        x += _attention is not null ? _attention.Forward(h, batch, pass) : _mamba!.Forward(h, batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>Bamba with its language-model head: <c>BambaForCausalLM</c>.</summary>
public sealed class Bamba : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 128000, IntermediateSize = 14336, NumKeyValueHeads = 8, MaxPositionEmbeddings = 262144, NormEps = 1e-5, PadTokenId = 0, PartialRotaryFactor = 0.5,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Bamba(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Bamba(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
        if (config.GetDouble("z_loss_coefficient", 0) != 0)
        {
            throw new CheckpointException(config.Source, "\"z_loss_coefficient\" is not 0; expected 0: no loss but the cross entropy is supported");
        }
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        config.GetChoice("hidden_act", ["silu", "swish"], "silu");
        long[] attention = config.Has("attn_layer_indices") ? config.GetLongs("attn_layer_indices") : [];
        var mamba = Mamba2Config.ReadHybrid(config, c);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new BambaBlock(c, i, rotary, attention.Contains(i) ? null : mamba), new RmsNorm(c.HiddenSize, c.NormEps), new StackNames(Norm: "final_layernorm"), null, rotary);
    }
}
