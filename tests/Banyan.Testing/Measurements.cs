using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Banyan.Testing;

/// <summary>Listens to a meter and keeps the measurements that carry a tag: other tests of the process write to the same instruments.</summary>
public sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, string? Unit, double Value)> _all = new();

    /// <summary>Starts to listen.</summary>
    public Measurements(string meter, string tag, string value)
    {
        _listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == meter)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        void Keep<T>(Instrument i, T number, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) where T : IConvertible
        {
            foreach ((string key, object? at) in tags)
            {
                if (key == tag && Equals(at, value))
                {
                    _all.Enqueue((i.Name, i.Unit, number.ToDouble(null)));
                }
            }
        }
        _listener.SetMeasurementEventCallback<long>(Keep);
        _listener.SetMeasurementEventCallback<double>(Keep);
        _listener.Start();
    }

    /// <summary>The values of an instrument, in order.</summary>
    public double[] Of(string name) => [.. _all.Where(m => m.Name == name).Select(m => m.Value)];

    /// <summary>Its unit.</summary>
    public string? UnitOf(string name) => _all.First(m => m.Name == name).Unit;

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
