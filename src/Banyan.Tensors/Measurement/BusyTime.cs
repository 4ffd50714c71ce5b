using System.Diagnostics;

namespace Banyan.Cpu;

/// <summary>
/// The clock of measurements: with one thread the processor time of this process, which other programs on the machine do not lengthen; with
/// more the time of day, since threads that wait for each other use no processor time.
/// </summary>
internal static class BusyTime
{
    private static readonly bool s_countsProcessorTime = OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows();

    /// <summary>Seconds since some moment.</summary>
    public static double Now(int threads) =>
        threads == 1 && s_countsProcessorTime ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
}
