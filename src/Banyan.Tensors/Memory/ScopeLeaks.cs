using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Banyan.Memory;

/// <summary>
/// Reports scopes that were collected without <see cref="Scope.Dispose"/>: as a warning of <see cref="Trace"/>, and in the counter
/// <c>banyan.scope.leaks</c> of the meter <c>Banyan.Tensors</c>. Their memory is freed, but late: when the garbage collector, which knows nothing of
/// its size, happens to run.
/// </summary>
internal static class ScopeLeaks
{
    private static readonly Meter s_meter = new("Banyan.Tensors");

    private static readonly Counter<long> s_leaks = s_meter.CreateCounter<long>("banyan.scope.leaks", "{scope}", "Scopes that were collected without Dispose.");

    public static void Report(long bytes)
    {
        s_leaks.Add(1);
        Trace.TraceWarning($"Banyan: a Scope was collected without Dispose while its tensors held {bytes:N0} bytes: write 'using var scope = new Scope()'");
    }
}
