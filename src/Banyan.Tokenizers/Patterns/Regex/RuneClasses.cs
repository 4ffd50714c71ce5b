using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>Numbers code points so that those which no set of an expression tells apart share a number.</summary>
internal sealed class RuneClasses
{
    private readonly int[] _starts;
    private readonly int[] _classes;
    private readonly ushort[] _small = new ushort[0x10000];
    private readonly List<int> _members = [];

    public RuneClasses(IEnumerable<RuneSet> sets)
    {
        RuneSet[] all = [.. sets.Distinct()];
        SortedSet<int> bounds = [0];
        foreach (RuneSet set in all)
        {
            bounds.UnionWith(set.Bounds.ToArray().Where(b => b < RuneSet.Limit));
        }
        _starts = [.. bounds];
        _classes = new int[_starts.Length];
        Dictionary<string, int> known = [];
        for (int i = 0; i < _starts.Length; i++)
        {
            string signature = string.Create(all.Length, _starts[i], (chars, rune) =>
            {
                for (int s = 0; s < chars.Length; s++)
                {
                    chars[s] = all[s].Contains(rune) ? '1' : '0';
                }
            });
            if (!known.TryGetValue(signature, out _classes[i]))
            {
                _classes[i] = known[signature] = known.Count;
                _members.Add(_starts[i]);
            }
        }
        for (int rune = 0; rune < _small.Length; rune++)
        {
            _small[rune] = (ushort)Math.Min(Find(rune), ushort.MaxValue);
        }
    }

    /// <summary>How many there are; the number behind them stands for the end of the text.</summary>
    public int Count => _members.Count;

    /// <summary>A code point of a class.</summary>
    public int Member(int index) => _members[index];

    /// <summary>The class of the code point at <paramref name="i"/>, and how many units it takes.</summary>
    public int At(ReadOnlySpan<char> text, int i, out int width)
    {
        char c = text[i];
        width = 1;
        return char.IsSurrogate(c) ? Wide(Runes.Decode(text, i, out int rune), rune, out width) : _small[c];
    }

    /// <summary>The class of the code point that ends before <paramref name="i"/>.</summary>
    public int Before(ReadOnlySpan<char> text, int i, out int width) => Wide(Runes.DecodeBefore(text, i, out int rune), rune, out width);

    private int Wide(int units, int rune, out int width)
    {
        width = units;
        return Find(rune);
    }

    private int Find(int rune)
    {
        int at = Array.BinarySearch(_starts, rune);
        return _classes[at >= 0 ? at : ~at - 1];
    }
}
