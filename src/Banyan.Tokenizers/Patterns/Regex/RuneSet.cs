namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>A set of code points, as ranges.</summary>
internal sealed class RuneSet : IEquatable<RuneSet>
{
    /// <summary>One more than the last code point.</summary>
    public const int Limit = 0x110000;

    private readonly int[] _bounds; // the first of a range, the one behind its last, the first of the next, ...

    private RuneSet(int[] bounds) => _bounds = bounds;

    public static RuneSet None { get; } = new([]);

    public static RuneSet All { get; } = new([0, Limit]);

    public bool IsEmpty => _bounds.Length == 0;

    /// <summary>Where membership changes, in order.</summary>
    public ReadOnlySpan<int> Bounds => _bounds;

    public static RuneSet Of(params ReadOnlySpan<int> runes)
    {
        RuneSet result = None;
        foreach (int rune in runes)
        {
            result = result.Or(Range(rune, rune));
        }
        return result;
    }

    /// <summary>Both ends belong to it.</summary>
    public static RuneSet Range(int first, int last) => new([first, last + 1]);

    public static RuneSet Where(Func<int, bool> contains)
    {
        List<int> bounds = [];
        bool inside = false;
        for (int rune = 0; rune < Limit; rune++)
        {
            if (contains(rune) != inside)
            {
                bounds.Add(rune);
                inside = !inside;
            }
        }
        if (inside)
        {
            bounds.Add(Limit);
        }
        return new([.. bounds]);
    }

    public RuneSet Not() => Merge(All, static (mine, all) => all && !mine);

    public RuneSet Or(RuneSet other) => Merge(other, static (a, b) => a || b);

    public RuneSet And(RuneSet other) => Merge(other, static (a, b) => a && b);

    public bool Contains(int rune)
    {
        int at = Array.BinarySearch(_bounds, rune);
        return ((at >= 0 ? at + 1 : ~at) & 1) == 1;
    }

    public bool Overlaps(RuneSet other) => !And(other).IsEmpty;

    public IEnumerable<int> Runes()
    {
        for (int i = 0; i < _bounds.Length; i += 2)
        {
            for (int rune = _bounds[i]; rune < _bounds[i + 1]; rune++)
            {
                yield return rune;
            }
        }
    }

    public bool Equals(RuneSet? other) => other is not null && _bounds.AsSpan().SequenceEqual(other._bounds);

    public override bool Equals(object? obj) => Equals(obj as RuneSet);

    public override int GetHashCode()
    {
        HashCode hash = new();
        foreach (int bound in _bounds)
        {
            hash.Add(bound);
        }
        return hash.ToHashCode();
    }

    private RuneSet Merge(RuneSet other, Func<bool, bool, bool> belongs)
    {
        List<int> bounds = [];
        int[] a = _bounds, b = other._bounds;
        bool inside = false;
        for (int i = 0, j = 0; i < a.Length || j < b.Length;)
        {
            int at = Math.Min(i < a.Length ? a[i] : Limit, j < b.Length ? b[j] : Limit);
            i += i < a.Length && a[i] == at ? 1 : 0;
            j += j < b.Length && b[j] == at ? 1 : 0;
            if (belongs((i & 1) == 1, (j & 1) == 1) != inside)
            {
                bounds.Add(at);
                inside = !inside;
            }
        }
        return new([.. bounds]);
    }
}
