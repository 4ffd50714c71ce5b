using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>Whole optimizer steps on one large parameter, beside the rate at which memory moves as many arrays: see <see cref="KernelBenchmarks"/>.</summary>
public static class OptimizerBenchmarks
{
    private const long Rows = 8192, Width = 768;

    // What an update reads and writes of the parameter's size, in place: the weight, the gradient (read only) and the optimizer's states.
    private static readonly (string Name, int States, Func<ParameterGroup, Optimizer> Make)[] s_rows =
    [
        ("AdamW", 2, group => new AdamW([group])),
        ("Lion", 1, group => new Lion([group])),
    ];

    /// <summary>Measures row after row.</summary>
    /// <param name="threads">Threads that compute, at least 1.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    /// <param name="filter">Only optimizers whose name contains this, in either case of letters; null: all.</param>
    /// <returns>GB/s read and written, and the fraction of what a probe with as many streams moves.</returns>
    public static IEnumerable<KernelRate> Steps(int threads, CancellationToken cancellation = default, string? filter = null)
    {
        using var pool = new ComputePool(threads);
        foreach ((string name, int states, Func<ParameterGroup, Optimizer> make) in s_rows)
        {
            if (filter is null || name.Contains(filter, StringComparison.OrdinalIgnoreCase))
            {
                using var probe = new StreamProbe(states + 2, states + 1, inPlace: true);
                using var data = new Scope(new ScopeOptions { Pool = pool });
                Optimizer optimizer = make(new ParameterGroup([("weight", Weight(data))], weightDecay: 0.1));
                double bytes = ((2 * states) + 3) * (double)(Rows * Width) * sizeof(float);
                yield return PairedRounds.Measure(name, "GB/s", bytes, () => optimizer.Step(), () => probe.GigabytesPerSecond(pool), pool, cancellation);
            }
        }
    }

    private static Parameter Weight(Scope data)
    {
        Tensor gradient = data.Zeros([Rows, Width]);
        gradient.FillUniform(0.5, seed: 1);
        var weight = new Parameter("weight", [Rows, Width], Initializer.Zeros, isBuffer: false) { Value = data.Zeros([Rows, Width]), IsTrainable = true };
        weight.Value.Grad = gradient;
        return weight;
    }
}
