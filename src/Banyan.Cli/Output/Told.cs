namespace Banyan.Cli.Output;

/// <summary>Reports progress at once and on the caller's thread, which <see cref="Progress{T}"/> does not.</summary>
internal sealed class Told<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
