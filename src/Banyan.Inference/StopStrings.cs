namespace Banyan.Inference;

/// <summary>Holds streamed text back while it could be the beginning of a stop string. One for each sequence.</summary>
internal sealed class StopStrings(IReadOnlyList<string> stops)
{
    private string _pending = "";

    /// <summary>Adds text; gives what is certain now, and whether a stop string appeared (nothing of it or behind it is given).</summary>
    public (string Text, bool Stopped) Add(string text)
    {
        string all = _pending.Length == 0 ? text : _pending + text;
        int stop = -1, held = 0;
        for (int i = 0; i < stops.Count; i++)
        {
            int at = all.IndexOf(stops[i], StringComparison.Ordinal);
            stop = at >= 0 && (stop < 0 || at < stop) ? at : stop;
            held = Math.Max(held, Overlap(all, stops[i]));
        }
        int certain = stop >= 0 ? stop : all.Length - held;
        _pending = stop >= 0 || held == 0 ? "" : all[certain..];
        return (certain == all.Length ? all : all[..certain], stop >= 0);
    }

    /// <summary>What was held back, when no more text comes.</summary>
    public string Rest() => _pending;

    // The longest end of the text that begins the stop string.
    private static int Overlap(string text, string stop)
    {
        int n = Math.Min(text.Length, stop.Length - 1);
        while (n > 0 && !text.AsSpan(text.Length - n).SequenceEqual(stop.AsSpan(0, n)))
        {
            n--;
        }
        return n;
    }
}
