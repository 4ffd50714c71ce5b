namespace Banyan.Cpu;

/// <summary>Measures a kernel in rounds, each between two runs of the probe that bounds it.</summary>
internal static class PairedRounds
{
    private const double WarmUpSeconds = 0.2, Seconds = 0.5, RoundSeconds = 0.01;
    private const int FewestRounds = 7;

    /// <param name="name">The kernel.</param>
    /// <param name="unit">Of the work per second, in 10^9.</param>
    /// <param name="work">Operations or bytes of one run.</param>
    /// <param name="run">Runs the kernel once.</param>
    /// <param name="probe">Measures the bound once, in the same unit.</param>
    /// <param name="pool">The threads.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    public static KernelRate Measure(string name, string unit, double work, Action run, Func<double> probe, ComputePool pool, CancellationToken cancellation)
    {
        int repeat = WarmUp(run, probe, cancellation);
        List<double> fractions = [], steady = [];
        double best = 0, before = probe(), end = BusyTime.Now(2) + Seconds;
        while (fractions.Count < FewestRounds || BusyTime.Now(2) < end)
        {
            cancellation.ThrowIfCancellationRequested();
            double start = BusyTime.Now(pool.Threads);
            for (int i = 0; i < repeat; i++)
            {
                run();
            }
            double rate = work * repeat / (BusyTime.Now(pool.Threads) - start) / 1e9, after = probe();
            best = Math.Max(best, rate);
            fractions.Add(2 * rate / (before + after));
            if (Math.Abs(before - after) < 0.05 * after)
            {
                steady.Add(fractions[^1]);
            }
            before = after;
        }
        // Where the two probes differ, something else took the machine in between.
        List<double> counted = steady.Count >= 3 ? steady : fractions;
        counted.Sort();
        return new KernelRate(name, pool.Threads, best, unit, counted[counted.Count / 2]);
    }

    // The runtime compiles hot methods a second time. Returns how many runs make a round.
    private static int WarmUp(Action run, Func<double> probe, CancellationToken cancellation)
    {
        double start = BusyTime.Now(2), quickest = double.MaxValue;
        for (int runs = 0; runs < 2 || BusyTime.Now(2) - start < WarmUpSeconds; runs++)
        {
            cancellation.ThrowIfCancellationRequested();
            double from = BusyTime.Now(2);
            run();
            quickest = Math.Min(quickest, BusyTime.Now(2) - from);
            if (runs % 8 == 0)
            {
                probe();
            }
        }
        return (int)Math.Clamp(RoundSeconds / Math.Max(quickest, 1e-7), 1, 100_000);
    }
}
