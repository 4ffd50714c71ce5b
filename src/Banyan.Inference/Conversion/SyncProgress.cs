namespace Banyan.Inference;

/// <summary>Reports at once and on the caller's thread; <see cref="Progress{T}"/> would report on another, after the fact.</summary>
internal sealed class SyncProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
