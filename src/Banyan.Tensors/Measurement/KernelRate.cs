namespace Banyan;

/// <summary>How fast one kernel is on this machine.</summary>
/// <param name="Name">The kernel and its sizes.</param>
/// <param name="Threads">Threads that worked at the same time.</param>
/// <param name="Rate">The best round, in <paramref name="Unit"/>.</param>
/// <param name="Unit">"GFLOP/s", or "GB/s" for kernels that pass over memory (bytes read plus written).</param>
/// <param name="FractionOfPeak">
/// Rate divided by that of a probe: fused multiply-adds in registers, or the same number of memory streams. The probe runs right before and
/// after every round; this is the median of the rounds during which the probe was steady, so a machine that others use too gives about the same figure as a quiet one.
/// </param>
public sealed record KernelRate(string Name, int Threads, double Rate, string Unit, double FractionOfPeak)
{
    /// <summary>One line of a table.</summary>
    public override string ToString() => FormattableString.Invariant($"{Name,-44} {Threads,2} thread(s) {Rate,8:F2} {Unit,-7} {FractionOfPeak,7:P1}");
}
