using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Mamba 2 (Dao and Gu 2024, arXiv:2405.21060): the scan's decay is one number for each head, and groups of heads share B and C; gate and norm are one.

/// <summary>What a Mamba 2 mixer is built from, by the keys of <c>config.json</c>.</summary>
/// <param name="Width">C.</param>
/// <param name="Inner">Width of the scan: heads times their size.</param>
/// <param name="Heads">H.</param>
/// <param name="Groups">G, the groups of heads that share B and C.</param>
/// <param name="State">N.</param>
/// <param name="Kernel">Length of the convolution.</param>
/// <param name="StepMin">Steps are at least this.</param>
/// <param name="StepMax">Steps are at most this.</param>
/// <param name="Bias">Whether the layers have biases.</param>
/// <param name="ConvBias">Whether the convolution has one.</param>
/// <param name="Eps">Of the norm.</param>
/// <param name="InitStd">Standard deviation of new weights.</param>
public sealed record Mamba2Config(
    int Width, int Inner, int Heads, int Groups, int State, int Kernel, double StepMin, double StepMax, bool Bias, bool ConvBias, double Eps, double InitStd);

/// <summary>Convolution, scan and gated norm.</summary>
public sealed class Mamba2Mixer : Module
{
    private readonly Mamba2Config _c;
    private readonly int _layer;
    private readonly Linear _in, _out;
    private readonly Conv _conv;
    private readonly Parameter _logA, _d, _stepBias, _norm;

    internal Mamba2Mixer(Mamba2Config c, int layer)
    {
        (_c, _layer) = (c, layer);
        Initializer init = Initializer.Normal(c.InitStd);
        int mixed = c.Inner + 2 * c.Groups * c.State;
        _logA = Add("A_log", [c.Heads], Initializer.Of((head, _) => Math.Log(head + 1)));
        _d = Add("D", [c.Heads], Initializer.Ones);
        _stepBias = Add("dt_bias", [c.Heads], Initializer.Ones);
        _conv = Add("conv1d", new Conv(mixed, mixed, [c.Kernel], new ConvOptions { Groups = mixed, Bias = c.ConvBias }));
        _in = Add("in_proj", new Linear(c.Width, c.Inner + mixed + c.Heads, c.Bias, initializer: init));
        _norm = Add("norm.weight", [c.Inner], Initializer.Ones);
        _out = Add("out_proj", new Linear(c.Inner, c.Width, c.Bias, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        int mixed = _c.Inner + 2 * _c.Groups * _c.State;
        (Tensor gate, Tensor u, Tensor step) = _in.Forward(batch.ZeroPadding(x), pass).Split(1, _c.Inner, mixed, _c.Heads);
        u = batch.Recur(_layer, "conv", (span, past) => u.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, _conv.Bias?.Value, past));
        (Tensor scanned, Tensor b, Tensor c) = batch.ZeroPadding(u.Silu()).Split(1, _c.Inner, _c.Groups * _c.State, _c.Groups * _c.State);
        step = (step + pass.Scope.Use(_stepBias)).Softplus();
        step = _c.StepMin > 0 || double.IsFinite(_c.StepMax) ? step.Clamp(_c.StepMin, _c.StepMax) : step;
        Tensor y = Scan(scanned, step, b, c, batch, pass);
        // Each group has a mean square of its own.
        y = (y * gate.Silu()).Reshape(-1, _c.Groups, _c.Inner / _c.Groups).RmsNorm(eps: _c.Eps).Reshape(-1, _c.Inner) * pass.Scope.Use(_norm);
        return pass.Visit(this, _out.Forward(y, pass));
    }

    // As a recurrence, group by group, which has the same bits token by token and all at once; StateSpaceDuality computes the same in chunks, with other rounding.
    private Tensor Scan(Tensor x, Tensor step, Tensor b, Tensor c, TokenBatch batch, ForwardPass pass)
    {
        int each = _c.Inner / _c.Groups, size = _c.Inner / _c.Heads;
        Tensor steps = PerChannel(step, 1), a = (-PerChannel(pass.Scope.Use(_logA).Exp(), 0)).Unsqueeze(1).Expand([_c.Inner, _c.State]), d = PerChannel(pass.Scope.Use(_d), 0);
        var rows = new Tensor[_c.Groups];
        for (int g = 0; g < _c.Groups; g++)
        {
            int first = g * each, group = g;
            rows[g] = batch.Recur(_layer, $"scan.{g}", (span, state) =>
            {
                Tensor Own(Tensor t, long from, long count) => t.Slice(0, span.QueryStart, span.QueryLength).Slice(1, from, count);
                return Own(x, first, each).SelectiveScan(Own(steps, first, each), a.Slice(0, first, each), Own(b, group * _c.State, _c.State), Own(c, group * _c.State, _c.State), d.Slice(0, first, each), state);
            });
        }
        return rows.Length == 1 ? rows[0] : Tensor.Cat(rows, 1);

        // One number for each head to one for each of its channels.
        Tensor PerChannel(Tensor t, int dim) => t.Unsqueeze(dim + 1).Expand(dim == 0 ? [_c.Heads, size] : [t.Shape[0], _c.Heads, size]).Reshape(dim == 0 ? [_c.Inner] : [t.Shape[0], _c.Inner]);
    }
}

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
        (double least, double most) = Limits(config);
        var m = new Mamba2Config(c.HiddenSize, inner, c.NumAttentionHeads, groups, config.GetInt("state_size", 128, min: 1, max: 1 << 16), config.GetInt("conv_kernel", 4, min: 2, max: 1 << 10),
            least, most, config.GetBool("use_bias", false), config.GetBool("use_conv_bias", true), c.NormEps, c.InitializerRange);
        return new DecoderStack(c, i => new Mamba2Block(m, i), new RmsNorm(c.HiddenSize, c.NormEps), new StackNames("embeddings", Norm: "norm_f"));
    }

    // An infinite limit is written in several ways, none of them a number.
    private static (double Least, double Most) Limits(ConfigReader config)
    {
        if (!config.Has("time_step_limit"))
        {
            return (0, double.PositiveInfinity);
        }
        using var json = System.Text.Json.JsonDocument.Parse(config.Json);
        double[] limits = [.. json.RootElement.GetProperty("time_step_limit").EnumerateArray().Select(e => e.ValueKind == System.Text.Json.JsonValueKind.Number ? e.GetDouble() : double.PositiveInfinity)];
        return limits.Length == 2 ? (limits[0], limits[1]) : throw new CheckpointException(config.Source, $"\"time_step_limit\" has {limits.Length} values; expected 2");
    }
}
