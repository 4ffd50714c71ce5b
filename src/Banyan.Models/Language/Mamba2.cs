using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Mamba 2 (Dao and Gu 2024, arXiv:2405.21060): the scan's decay is one number for each head, and groups of heads share B and C; gate and norm are one.

/// <summary>x + mixer(norm(x)).</summary>
public sealed class Mamba2Block : Block
{
    private readonly RmsNorm _norm;
    private readonly Mamba2Mixer _mixer;

    internal Mamba2Block(Mamba2Config c, int layer)
    {
        _norm = Add("norm", new RmsNorm(c.Width, c.Eps));
        _mixer = Add("mixer", new Mamba2Mixer(c, layer));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass) => x + _mixer.Forward(_norm.Forward(x, pass), batch, pass);
}

/// <summary>Mamba 2 with its language-model head: <c>Mamba2ForCausalLM</c>.</summary>
public sealed class Mamba2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 32768, HiddenSize = 4096, NumHiddenLayers = 64, NumAttentionHeads = 128, HeadDim = 64, MaxPositionEmbeddings = int.MaxValue, NormEps = 1e-5, InitializerRange = 0.1, PadTokenId = 1,
    };

    private static readonly DecoderKeys Keys = new(Heads: "num_heads", NormEps: "layer_norm_epsilon");

    /// <summary>A model without weights; initialise or load it.</summary>
    public Mamba2(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, Keys))
    {
    }

    private Mamba2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "backbone")
    {
    }

    // No embedding: the reference lists what each layer gives, then the norm.
    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        Enumerable.Range(0, Config.NumHiddenLayers + 1).Select(i => ($"hidden.{i}", i == Config.NumHiddenLayers ? "backbone.output" : $"backbone.layers.{i}"));

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        config.GetChoice("hidden_act", ["silu", "swish"], "silu");
        int inner = c.HeadDim * c.NumAttentionHeads, groups = config.GetInt("n_groups", 8, min: 1, max: c.NumAttentionHeads);
        ConfigChecks.Divides(config, "num_heads", c.NumAttentionHeads, "n_groups", groups);
        if (config.Has("expand") && config.GetInt("expand", min: 1) * c.HiddenSize is var expanded && expanded != inner)
        {
            throw new CheckpointException(config.Source, $"\"expand\" times \"hidden_size\" is {expanded}; expected num_heads times head_dim = {inner}");
        }
        var m = new Mamba2Config(c.HiddenSize, inner, c.NumAttentionHeads, groups, config.GetInt("state_size", 128, min: 1, max: 1 << 16), config.GetInt("conv_kernel", 4, min: 2, max: 1 << 10),
            Mamba2Config.StepLimits(config), config.GetBool("use_bias", false), config.GetBool("use_conv_bias", true), c.NormEps, c.InitializerRange);
        return new DecoderStack(c, i => new Mamba2Block(m, i), new RmsNorm(c.HiddenSize, c.NormEps), new StackNames("embeddings", Norm: "norm_f"));
    }
}
