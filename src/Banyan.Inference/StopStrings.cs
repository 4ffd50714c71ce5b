using System.Text;

namespace Banyan.Inference;

/// <summary>Holds streamed text back while it could be the beginning of a stop string. One for each sequence.</summary>
internal sealed class StopStrings(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _pending = new();

    /// <summary>Adds text; gives what is certain now, and whether a stop string appeared (nothing of it or behind it is given).</summary>
    public (string Text, bool Stopped) Add(string text)
    {
        if (stops.Count == 0)
        {
            return (text, false);
        }
        string all = _pending.Append(text).ToString();
        int stop = stops.Select(s => all.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(-1).Min();
        int certain = stop >= 0 ? stop : all.Length - stops.Max(s => Overlap(all, s));
        _pending.Clear();
        if (stop < 0)
        {
            _pending.Append(all, certain, all.Length - certain);
        }
        return (all[..certain], stop >= 0);
    }

    /// <summary>What was held back, when no more text comes.</summary>
    public string Rest() => _pending.ToString();

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
