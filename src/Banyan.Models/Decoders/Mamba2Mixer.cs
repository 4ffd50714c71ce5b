using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>What a Mamba 2 mixer is built from, by the keys of <c>config.json</c>.</summary>
/// <param name="Width">C.</param>
/// <param name="Inner">Width of the scan: heads times their size.</param>
/// <param name="Heads">H.</param>
/// <param name="Groups">G, the groups of heads that share B and C.</param>
/// <param name="State">N.</param>
/// <param name="Kernel">Length of the convolution.</param>
/// <param name="Steps">Steps are at least and at most this.</param>
/// <param name="Bias">Whether the layers have biases.</param>
/// <param name="ConvBias">Whether the convolution has one.</param>
/// <param name="Eps">Of the norm.</param>
/// <param name="InitStd">Standard deviation of new weights.</param>
/// <param name="GatedNorm">Whether what the scan gives has a norm besides its gate. Default: true.</param>
/// <param name="NormFirst">Whether the gate comes behind that norm. Default: before.</param>
public sealed record Mamba2Config(
    int Width, int Inner, int Heads, int Groups, int State, int Kernel, (double Least, double Most) Steps, bool Bias, bool ConvBias, double Eps, double InitStd,
    bool GatedNorm = true, bool NormFirst = false)
{
    /// <summary>Factors of the gate, of the scanned, of B, of C and of the steps as they leave the first layer (Falcon H1); null: none.</summary>
    public IReadOnlyList<double>? Factors { get; init; }

    /// <summary>Whether the last layer has a bias; null: as the first (<see cref="Bias"/>).</summary>
    public bool? OutBias { get; init; }

    /// <summary>The spelling of models in which these layers are some among others (Bamba, Falcon H1): <c>mamba_d_state</c> and so on.</summary>
    /// <param name="config">The file.</param>
    /// <param name="c">What was read from it.</param>
    /// <exception cref="CheckpointException">Values are impossible together.</exception>
    internal static Mamba2Config ReadHybrid(ConfigReader config, DecoderConfig c)
    {
        int inner = config.Has("mamba_d_ssm") ? config.GetInt("mamba_d_ssm", min: 1, max: 1 << 24) : config.GetInt("mamba_expand", 2, min: 1, max: 64) * c.HiddenSize;
        int heads = config.GetInt("mamba_n_heads", 128, min: 1, max: 1 << 16), groups = config.GetInt("mamba_n_groups", 1, min: 1, max: heads);
        ConfigChecks.Divides(config, "mamba_n_heads", heads, "mamba_n_groups", groups);
        int size = config.Has("mamba_d_head") && !MambaConfig.IsAuto(config, "mamba_d_head") ? config.GetInt("mamba_d_head", min: 1) : inner / heads;
        return (long)size * heads == inner
            ? new(c.HiddenSize, inner, heads, groups, config.GetInt("mamba_d_state", 256, min: 1, max: 1 << 16), config.GetInt("mamba_d_conv", 4, min: 2, max: 1 << 10), StepLimits(config),
                config.GetBool("mamba_proj_bias", false), config.GetBool("mamba_conv_bias", true), c.NormEps, c.InitializerRange)
            : throw new CheckpointException(config.Source, $"{heads} \"mamba_n_heads\" of width {size} are {(long)size * heads}; expected the scan's width {inner}");
    }

    // An infinite limit is written in several ways, none of them a number.
    internal static (double Least, double Most) StepLimits(ConfigReader config)
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

/// <summary>Convolution, scan and gated norm.</summary>
public sealed class Mamba2Mixer : Module
{
    private readonly Mamba2Config _c;
    private readonly int _layer;
    private readonly Linear _in, _out;
    private readonly Conv _conv;
    private readonly Tensor? _factors;
    private readonly Parameter _logA, _d, _stepBias;
    private readonly Parameter? _norm;

    internal Mamba2Mixer(Mamba2Config c, int layer)
    {
        (_c, _layer) = (c, layer);
        _factors = c.Factors is null ? null : Spread(c.Factors, [c.Inner, c.Inner, c.Groups * c.State, c.Groups * c.State, c.Heads]);
        Initializer init = Initializer.Normal(c.InitStd);
        int mixed = c.Inner + 2 * c.Groups * c.State;
        _logA = Add("A_log", [c.Heads], Initializer.Of((head, _) => Math.Log(head + 1)));
        _d = Add("D", [c.Heads], Initializer.Ones);
        _stepBias = Add("dt_bias", [c.Heads], Initializer.Ones);
        _conv = Add("conv1d", new Conv(mixed, mixed, [c.Kernel], new ConvOptions { Groups = mixed, Bias = c.ConvBias }));
        _in = Add("in_proj", new Linear(c.Width, c.Inner + mixed + c.Heads, c.Bias, initializer: init));
        _norm = c.GatedNorm ? Add("norm.weight", [c.Inner], Initializer.Ones) : null;
        _out = Add("out_proj", new Linear(c.Inner, c.Width, c.OutBias ?? c.Bias, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        int mixed = _c.Inner + 2 * _c.Groups * _c.State;
        x = _in.Forward(batch.ZeroPadding(x), pass);
        (Tensor gate, Tensor u, Tensor step) = (_factors is null ? x : x * pass.Scope.Use(_factors)).Split(1, _c.Inner, mixed, _c.Heads);
        u = batch.Recur(_layer, "conv", (span, past) => u.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, _conv.Bias?.Value, past));
        (Tensor scanned, Tensor b, Tensor c) = batch.ZeroPadding(u.Silu()).Split(1, _c.Inner, _c.Groups * _c.State, _c.Groups * _c.State);
        step = (step + pass.Scope.Use(_stepBias)).Softplus();
        step = _c.Steps.Least > 0 || double.IsFinite(_c.Steps.Most) ? step.Clamp(_c.Steps.Least, _c.Steps.Most) : step;
        Tensor y = pass.Training ? Dual(scanned, step, b, c, batch, pass) : Scan(scanned, step, b, c, batch, pass);
        y = _norm is null ? y * gate.Silu() : _c.NormFirst ? Normed(y) * gate.Silu() : Normed(y * gate.Silu());
        return pass.Visit(this, _out.Forward(y, pass));

        // Each group has a mean square of its own.
        Tensor Normed(Tensor t) => t.Reshape(-1, _c.Groups, _c.Inner / _c.Groups).RmsNorm(eps: _c.Eps).Reshape(-1, _c.Inner) * pass.Scope.Use(_norm);
    }

    // In chunks, as products of matrices: for training, which has no caches.
    private Tensor Dual(Tensor x, Tensor step, Tensor b, Tensor c, TokenBatch batch, ForwardPass pass)
    {
        long tokens = x.Shape[0];
        Tensor heads = x.Reshape(tokens, _c.Heads, -1), a = -pass.Scope.Use(_logA).Exp(), d = pass.Scope.Use(_d).Reshape(1, -1, 1);
        Tensor bg = b.Reshape(tokens, _c.Groups, _c.State), cg = c.Reshape(tokens, _c.Groups, _c.State);
        Tensor y = batch.Recur(_layer, "dual", (span, state) =>
        {
            Tensor Own(Tensor t) => t.Slice(0, span.QueryStart, span.QueryLength);
            return StateSpaceDuality.Apply(Own(heads), Own(step), a, Own(bg), Own(cg), state);
        });
        return (y + heads * d).Reshape(tokens, _c.Inner);
    }

    // As a recurrence, group by group, which has the same bits token by token and all at once.
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

    private static Tensor Spread(IReadOnlyList<double> factors, int[] widths) => Tensor.From([.. widths.SelectMany((n, i) => Enumerable.Repeat((float)factors[i], n))], [widths.Sum()]);
}
