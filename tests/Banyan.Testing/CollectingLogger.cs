using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Banyan.Testing;

/// <summary>Keeps what it is told: level, event's name, text and the values by their names.</summary>
public sealed class CollectingLogger : ILogger
{
    /// <summary>One line of the log.</summary>
    public sealed record Entry(LogLevel Level, string Event, string Text, IReadOnlyDictionary<string, object?> Values);

    /// <summary>The lines so far.</summary>
    public ConcurrentQueue<Entry> Entries { get; } = new();

    /// <summary>The names of the events, in order.</summary>
    public IEnumerable<string> Events => Entries.Select(e => e.Event);

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var values = (state as IEnumerable<KeyValuePair<string, object?>> ?? []).ToDictionary(p => p.Key, p => p.Value);
        Entries.Enqueue(new Entry(logLevel, eventId.Name ?? "", formatter(state, exception), values));
    }

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
}
