namespace Banyan.Training.Tests.Logging;

/// <summary>A clock that stands until it is set.</summary>
internal sealed class Clock : TimeProvider
{
    private readonly Queue<double> _times = [];

    /// <summary>Seconds since 1970 that the next calls return, one after the other.</summary>
    public void Set(params ReadOnlySpan<double> seconds)
    {
        foreach (double time in seconds)
        {
            _times.Enqueue(time);
        }
    }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(checked((long)(_times.Dequeue() * TimeSpan.TicksPerSecond)));
}
