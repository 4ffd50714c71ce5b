using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>
/// The angles of rotary position embedding and the ways to stretch them over longer contexts, from <c>rope_theta</c> and <c>rope_scaling</c>
/// or from transformers 5's <c>rope_parameters</c>.
/// </summary>
public sealed record RopeParameters
{
    /// <summary>Base of the angles. Default: 10000.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>default, linear, dynamic (NTK), yarn, llama3 or longrope.</summary>
    public string Type { get; init; } = "default";

    /// <summary>How many times longer the context becomes. Default: 1.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Context length before stretching.</summary>
    public double OriginalMaxPositions { get; init; } = 2048;

    /// <summary>llama3: wavelengths longer than the original length over this are stretched fully. Default: 1.</summary>
    public double LowFreqFactor { get; init; } = 1;

    /// <summary>llama3: wavelengths shorter than the original length over this stay. Default: 4.</summary>
    public double HighFreqFactor { get; init; } = 4;

    /// <summary>yarn: frequencies with more turns than this over the original length stay. Default: 32.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>yarn: frequencies with fewer turns than this are stretched fully. Default: 1.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>yarn: factor of cos and sin; NaN: 0.1 ln(factor) + 1.</summary>
    public double AttentionFactor { get; init; } = double.NaN;

    /// <summary>DeepSeek's factor of YaRN's magnitude in cos and sin; 0: as YaRN.</summary>
    public double Mscale { get; init; }

    /// <summary>DeepSeek's factor of YaRN's magnitude in the scores; 0: none.</summary>
    public double MscaleAllDim { get; init; }

    /// <summary>yarn: whether the borders of the ramp are rounded to whole dimensions. Default: true.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>longrope: divisors of the frequencies up to the original length.</summary>
    public IReadOnlyList<double> ShortFactor { get; init; } = [];

    /// <summary>longrope: divisors of the frequencies of longer sequences.</summary>
    public IReadOnlyList<double> LongFactor { get; init; } = [];

    private static readonly string[] Types = ["default", "linear", "dynamic", "yarn", "llama3", "longrope"];

    /// <summary>Reads both spellings of the configuration.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="maxPositions">Its context length: the original one where nothing else is said.</param>
    /// <param name="defaultTheta">Base where the file says nothing. Default: 10000.</param>
    /// <param name="layerType">The part of <c>rope_parameters</c> for one type of layer; null: all have the same.</param>
    public static RopeParameters Read(ConfigReader config, double maxPositions, double defaultTheta = 10000, string? layerType = null)
    {
        ConfigReader? p = config.GetOptionalObject("rope_parameters"), scaling = config.GetOptionalObject("rope_scaling");
        p = layerType is null ? p : p?.GetOptionalObject(layerType) ?? p;
        double theta = p is not null && p.Has("rope_theta") ? p.GetDouble("rope_theta") : config.GetDouble("rope_theta", defaultTheta, min: 0);
        p ??= scaling;
        if (p is null)
        {
            return new RopeParameters { Theta = theta, OriginalMaxPositions = maxPositions };
        }
        string type = p.Has("type") && !p.Has("rope_type") ? p.GetChoice("type", Types) : p.GetChoice("rope_type", Types, "default");
        return new RopeParameters
        {
            Theta = theta,
            Type = type,
            Factor = type == "default" ? 1 : type == "longrope" ? maxPositions / Original(config, p, maxPositions) : p.GetDouble("factor", min: 1e-6),
            OriginalMaxPositions = type == "longrope" ? Original(config, p, maxPositions) : p.GetDouble("original_max_position_embeddings", maxPositions, min: 1),
            ShortFactor = type == "longrope" ? p.GetDoubles("short_factor") : [],
            LongFactor = type == "longrope" ? p.GetDoubles("long_factor") : [],
            LowFreqFactor = p.GetDouble("low_freq_factor", 1),
            HighFreqFactor = p.GetDouble("high_freq_factor", 4),
            BetaFast = p.GetDouble("beta_fast", 32),
            BetaSlow = p.GetDouble("beta_slow", 1),
            AttentionFactor = p.GetDouble("attention_factor", double.NaN),
            Mscale = p.GetDouble("mscale", 0),
            MscaleAllDim = p.GetDouble("mscale_all_dim", 0),
            Truncate = p.GetBool("truncate", true),
        };
    }

    private static double Original(ConfigReader config, ConfigReader p, double maxPositions) =>
        p.GetDouble("original_max_position_embeddings", config.GetDouble("original_max_position_embeddings", maxPositions, min: 2), min: 2);

    /// <summary>How much of each head rotates, in either spelling.</summary>
    public static double Partial(ConfigReader config, double defaultValue)
    {
        ConfigReader? p = config.GetOptionalObject("rope_parameters");
        return p is not null && p.Has("partial_rotary_factor") ? p.GetDouble("partial_rotary_factor", min: 0, max: 1)
            : config.GetDouble("partial_rotary_factor", defaultValue, min: 0, max: 1);
    }

    /// <summary>YaRN's factor for contexts that are longer by <paramref name="factor"/>: 0.1 m ln(factor) + 1.</summary>
    internal static double YarnMagnitude(double factor, double m) => factor <= 1 ? 1 : 0.1 * m * Math.Log(factor) + 1;

    /// <summary>Factor of cos and sin.</summary>
    public double Magnitude => Type is not ("yarn" or "longrope") ? 1
        : !double.IsNaN(AttentionFactor) ? AttentionFactor
        : Factor <= 1 ? 1
        : Type == "yarn" ? (Mscale != 0 && MscaleAllDim != 0 ? YarnMagnitude(Factor, Mscale) / YarnMagnitude(Factor, MscaleAllDim) : YarnMagnitude(Factor, 1))
        : Math.Sqrt(1 + Math.Log(Factor) / Math.Log(OriginalMaxPositions));

    /// <summary>The angle per position of each pair.</summary>
    /// <param name="dim">Number of rotated elements of a head, even.</param>
    /// <param name="length">Length of the sequence: dynamic scaling depends on it.</param>
    public double[] Frequencies(int dim, long length) => Type switch
    {
        "linear" => [.. Plain(dim, Theta).Select(f => f / Factor)],
        "dynamic" => Plain(dim, DynamicBase(dim, length)),
        "llama3" => [.. Plain(dim, Theta).Select(Llama3)],
        "yarn" => Yarn(dim),
        "longrope" => [.. Plain(dim, Theta).Select((f, i) => f / (length > OriginalMaxPositions ? LongFactor : ShortFactor)[i])],
        _ => Plain(dim, Theta),
    };

    /// <summary>A number that two lengths share when their frequencies are the same.</summary>
    public long Regime(long length) => Type switch { "dynamic" => length, "longrope" => length > OriginalMaxPositions ? 1 : 0, _ => 0 };

    private static double[] Plain(int dim, double theta) => [.. Enumerable.Range(0, dim / 2).Select(i => Math.Pow(theta, -2.0 * i / dim))];

    private double DynamicBase(int dim, long length)
    {
        double stretched = Math.Max(length, OriginalMaxPositions);
        return Theta * Math.Pow(Factor * stretched / OriginalMaxPositions - (Factor - 1), dim / (dim - 2.0));
    }

    private double Llama3(double frequency)
    {
        double turns = OriginalMaxPositions * frequency / (2 * Math.PI);
        if (turns < LowFreqFactor)
        {
            return frequency / Factor;
        }
        if (turns > HighFreqFactor)
        {
            return frequency;
        }
        double smooth = (turns - LowFreqFactor) / (HighFreqFactor - LowFreqFactor);
        return (1 - smooth) * frequency / Factor + smooth * frequency;
    }

    // Peng et al. 2023: fast dimensions keep their frequency, slow ones are stretched, a ramp lies between.
    private double[] Yarn(int dim)
    {
        double low = DimensionOf(BetaFast, dim), high = DimensionOf(BetaSlow, dim);
        (low, high) = Truncate ? (Math.Floor(low), Math.Ceiling(high)) : (low, high);
        (low, high) = (Math.Max(low, 0), Math.Min(high, dim - 1));
        high = high == low ? high + 0.001 : high;
        double[] plain = Plain(dim, Theta);
        return [.. plain.Select((f, i) =>
        {
            double ramp = Math.Clamp((i - low) / (high - low), 0, 1);
            return f / Factor * ramp + f * (1 - ramp);
        })];
    }

    private double DimensionOf(double turns, int dim) => dim * Math.Log(OriginalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(Theta));
}
