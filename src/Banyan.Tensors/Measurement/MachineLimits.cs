using Banyan.Cpu;

namespace Banyan;

/// <summary>
/// What this machine can do at most, measured: the roofs that benchmarks quote fractions of (Williams et al., "Roofline", 2009).
/// </summary>
/// <param name="Threads">Threads that worked at the same time.</param>
/// <param name="VectorWidth">The vector width that kernels of this process use, in words.</param>
/// <param name="Gflops">Float32 fused multiply-adds in registers: 10^9 operations per second, a multiply-add counting as two.</param>
/// <param name="ReadGigabytesPerSecond">Reading main memory in sequence: 10^9 bytes per second.</param>
/// <param name="TriadGigabytesPerSecond">Reading two arrays and writing a third (STREAM's triad, McCalpin 1995): bytes read plus written.</param>
public sealed record MachineLimits(int Threads, string VectorWidth, double Gflops, double ReadGigabytesPerSecond, double TriadGigabytesPerSecond)
{
    private const double SecondsEach = 0.15;

    /// <summary>Measures; takes about half a second. All figures are the best of several runs, all threads together.</summary>
    /// <param name="threads">Threads that work at the same time, at least 1. With one, processor time is counted, else time of day.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    public static MachineLimits Measure(int threads, CancellationToken cancellation = default)
    {
        using var pool = new ComputePool(threads);
        double gflops = Best(() => ArithmeticProbe.Gflops(pool), cancellation);
        using var read = new StreamProbe(1, 0, inPlace: false);
        double reads = Best(() => read.GigabytesPerSecond(pool), cancellation);
        using var triad = new StreamProbe(2, 1, inPlace: false);
        return new MachineLimits(threads, Isa.Name, gflops, reads, Best(() => triad.GigabytesPerSecond(pool), cancellation));
    }

    private static double Best(Func<double> probe, CancellationToken cancellation)
    {
        double best = probe(), end = BusyTime.Now(2) + SecondsEach;
        while (BusyTime.Now(2) < end)
        {
            cancellation.ThrowIfCancellationRequested();
            best = Math.Max(best, probe());
        }
        return best;
    }
}
