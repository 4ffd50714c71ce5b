using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>The section <c>optimizer</c>.</summary>
public sealed record OptimizerOptions
{
    /// <summary><c>adamw</c>, <c>adam</c>, <c>lion</c> or <c>sgd</c>. Default: adamw.</summary>
    public string Type { get; init; } = "adamw";

    /// <summary>The highest learning rate. Default: 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of the average of gradients; the momentum of sgd. Default: 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the average of squares. Default: 0.95.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Default: 1e-8.</summary>
    public double Eps { get; init; } = 1e-8;

    /// <summary>Weight decay of matrices; vectors have none. Default: 0.1.</summary>
    public double WeightDecay { get; init; } = 0.1;

    internal static OptimizerOptions Read(ConfigReader c) => new()
    {
        Type = c.GetChoice("type", ["adamw", "adam", "lion", "sgd"], "adamw"),
        LearningRate = c.GetDouble("learning_rate", 1e-3, min: 0),
        Beta1 = c.GetDouble("beta1", 0.9, min: 0, max: 0.9999999),
        Beta2 = c.GetDouble("beta2", 0.95, min: 0, max: 0.9999999),
        Eps = c.GetDouble("eps", 1e-8, min: 0),
        WeightDecay = c.GetDouble("weight_decay", 0.1, min: 0),
    };

    /// <summary>The optimizer over a model's trainable parameters.</summary>
    public Optimizer Create(Module model)
    {
        ParameterGroup[] groups = ParameterGroup.DecayMatrices(model, WeightDecay);
        return Type switch
        {
            "adam" => new Adam(groups, LearningRate, Beta1, Beta2, Eps),
            "lion" => new Lion(groups, LearningRate, Beta1, Beta2),
            "sgd" => new Sgd(groups, LearningRate, Beta1),
            _ => new AdamW(groups, LearningRate, Beta1, Beta2, Eps),
        };
    }
}

/// <summary>The section <c>schedule</c>.</summary>
public sealed record ScheduleOptions
{
    /// <summary><c>cosine</c>, <c>wsd</c> (warm-up, stable, decay) or <c>constant</c>. Default: cosine.</summary>
    public string Type { get; init; } = "cosine";

    /// <summary>Steps of linear warm-up. Default: 0.</summary>
    public long Warmup { get; init; }

    /// <summary>Steps of the decay at the end, for wsd; 0: a fifth of all. Default: 0.</summary>
    public long Decay { get; init; }

    /// <summary>The learning rate at the end as a share of the highest. Default: 0.1.</summary>
    public double Floor { get; init; } = 0.1;

    internal static ScheduleOptions Read(ConfigReader c) => new()
    {
        Type = c.GetChoice("type", ["cosine", "wsd", "constant"], "cosine"),
        Warmup = c.GetLong("warmup", 0, min: 0),
        Decay = c.GetLong("decay", 0, min: 0),
        Floor = c.GetDouble("floor", 0.1, min: 0, max: 1),
    };

    /// <summary>The schedule of a run.</summary>
    public Schedule Create(double peak, long steps) => Type switch
    {
        "wsd" => Schedule.WarmupStableDecay(peak, Warmup, Decay > 0 ? Decay : Math.Max(1, steps / 5), steps, Floor * peak),
        "constant" => Schedule.WarmupStableDecay(peak, Warmup, 0, steps, peak),
        _ => Schedule.Cosine(peak, Warmup, steps, Floor * peak),
    };
}
