using System.Diagnostics;

namespace Banyan.Training;

/// <summary>The memory of this process.</summary>
public static class ProcessMemory
{
    /// <summary>The most that was resident, in MiB.</summary>
    public static double PeakMib
    {
        get
        {
            // .NET's PeakWorkingSet64 is 0 on some Linux systems.
            string? line = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            return line is not null ? long.Parse(line.AsSpan(6).Trim().TrimEnd(" kB"), System.Globalization.CultureInfo.InvariantCulture) / 1024.0
                : Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;
        }
    }
}
