using Banyan.Tokenizers.Text;
using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Banyan.Tokenizers.AddedTokens;

/// <summary>Finds added tokens in a text: the leftmost, and of those that begin there the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly SearchValues<string> _search;
    private readonly Dictionary<char, List<Entry>> _byFirst = [];
    private readonly bool _cutsEverywhere;

    private sealed record Entry(string Text, int Id, AddedToken Token);

    /// <summary>A part of the text: an added token (<paramref name="Id"/> at least 0) or what lies between.</summary>
    public readonly record struct Part(int Start, int End, int Id);

    /// <param name="entries">What to find.</param>
    /// <param name="cutsEverywhere">A token became empty text, which is found between any two characters: as the reference does.</param>
    private AddedTokenMatcher(List<Entry> entries, bool cutsEverywhere)
    {
        _cutsEverywhere = cutsEverywhere;
        _search = SearchValues.Create([.. entries.Select(e => e.Text)], StringComparison.Ordinal);
        foreach (Entry e in entries.DistinctBy(e => e.Text).OrderByDescending(e => e.Text.Length))
        {
            if (!_byFirst.TryGetValue(e.Text[0], out List<Entry>? list))
            {
                _byFirst[e.Text[0]] = list = [];
            }
            list.Add(e);
        }
    }

    /// <summary>A matcher of the given tokens (what to look for, id, flags), or null where there is nothing to find.</summary>
    public static AddedTokenMatcher? Create(IEnumerable<(string Text, int Id, AddedToken Token)> tokens)
    {
        List<Entry> all = [.. tokens.Select(t => new Entry(t.Text, t.Id, t.Token))];
        List<Entry> entries = all.FindAll(e => e.Text.Length > 0);
        return all.Count == 0 ? null : new(entries, entries.Count < all.Count);
    }

    /// <summary>The parts of a text, in order; <paramref name="skipSpecial"/> treats special tokens as ordinary text.</summary>
    public void Split(ReadOnlySpan<char> text, bool skipSpecial, List<Part> output)
    {
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            int found = text[at..].IndexOfAny(_search);
            if (found < 0)
            {
                break;
            }
            at += found;
            if (!TryLongest(text[at..], out Entry? e))
            {
                at++;
                continue;
            }
            int start = at, end = at + e.Text.Length;
            at = end;
            if ((skipSpecial && e.Token.Special) || (e.Token.SingleWord && TouchesWord(text, start, end)))
            {
                continue;
            }
            Widen(text, e.Token, done, ref start, ref end);
            if (done < start)
            {
                AddGap(text, done, start, output);
            }
            output.Add(new(start, end, e.Id));
            done = end;
        }
        if (done < text.Length)
        {
            AddGap(text, done, text.Length, output);
        }
    }

    private void AddGap(ReadOnlySpan<char> text, int start, int end, List<Part> output)
    {
        while (_cutsEverywhere && end - start > Runes.Width(text, start))
        {
            output.Add(new(start, start += Runes.Width(text, start), -1));
        }
        output.Add(new(start, end, -1));
    }

    private bool TryLongest(ReadOnlySpan<char> text, [NotNullWhen(true)] out Entry? entry)
    {
        foreach (Entry e in _byFirst[text[0]])
        {
            if (text.StartsWith(e.Text))
            {
                entry = e;
                return true;
            }
        }
        entry = null;
        return false;
    }

    private static bool TouchesWord(ReadOnlySpan<char> text, int start, int end)
    {
        if (start > 0)
        {
            Runes.DecodeBefore(text, start, out int before);
            if (Runes.IsWord(before))
            {
                return true;
            }
        }
        if (end == text.Length)
        {
            return false;
        }
        Runes.Decode(text, end, out int after);
        return Runes.IsWord(after);
    }

    private static void Widen(ReadOnlySpan<char> text, AddedToken token, int done, ref int start, ref int end)
    {
        while (token.LStrip && start > done && Runes.IsWhiteSpace(text[start - 1]))
        {
            start--;
        }
        while (token.RStrip && end < text.Length && Runes.IsWhiteSpace(text[end]))
        {
            end++;
        }
    }
}
