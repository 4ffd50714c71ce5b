using Banyan.Tokenizers.PostProcessors;

namespace Banyan.Tokenizers;

/// <summary>Which sequence gives way when a text is too long.</summary>
public enum TruncationStrategy
{
    /// <summary>The longer one, until both are about equal.</summary>
    LongestFirst,

    /// <summary>The first sequence only.</summary>
    OnlyFirst,

    /// <summary>The second sequence only.</summary>
    OnlySecond,
}

/// <summary>A side of a sequence.</summary>
public enum Side
{
    /// <summary>The end.</summary>
    Right,

    /// <summary>The beginning.</summary>
    Left,
}

/// <summary>Cuts encodings to a length.</summary>
/// <param name="MaxLength">The most tokens, special tokens included.</param>
/// <param name="Stride">How many tokens the overflowing parts share with their neighbours.</param>
/// <param name="Strategy">Which sequence of a pair gives way.</param>
/// <param name="Direction">The side that is cut.</param>
public sealed record Truncation(
    int MaxLength = 512, int Stride = 0, TruncationStrategy Strategy = TruncationStrategy.LongestFirst, Side Direction = Side.Right)
{
    /// <summary>Cuts one or two sequences to <paramref name="length"/> tokens together.</summary>
    internal (Encoding First, Encoding? Second) Apply(Encoding first, Encoding? second, int length)
    {
        int total = first.Count + (second?.Count ?? 0);
        if (total <= length)
        {
            return (first, second);
        }
        if (length == 0)
        {
            return (Cut(first, 0), second is null ? null : Cut(second, 0));
        }
        if (Strategy == TruncationStrategy.LongestFirst)
        {
            return second is null ? (Cut(first, length), null) : CutBoth(first, second, length);
        }
        Encoding target = Strategy == TruncationStrategy.OnlyFirst ? first : second
            ?? throw new InvalidOperationException("truncation only_second was asked for, but there is no second sequence");
        int keep = target.Count - (total - length);
        if (keep <= 0)
        {
            throw new InvalidOperationException(
                $"truncation to {length} tokens would have to remove {total - length} of the {target.Count} tokens of one sequence; "
                + "use the strategy longest_first or a larger max_length");
        }
        return ReferenceEquals(target, first) ? (Cut(first, keep), second) : (first, Cut(target, keep));
    }

    private (Encoding First, Encoding? Second) CutBoth(Encoding first, Encoding second, int length)
    {
        (int shorter, int longer) = first.Count <= second.Count ? (first.Count, second.Count) : (second.Count, first.Count);
        longer = shorter > length ? shorter : Math.Max(shorter, length - shorter);
        if (shorter + longer > length)
        {
            shorter = length / 2;
            longer = shorter + (length % 2);
        }
        return first.Count <= second.Count ? (Cut(first, shorter), Cut(second, longer)) : (Cut(first, longer), Cut(second, shorter));
    }

    private Encoding Cut(Encoding encoding, int length)
    {
        if (length >= encoding.Count)
        {
            return encoding;
        }
        if (length == 0)
        {
            return new([], [.. encoding.Overflowing, new Encoding(encoding.Items)]);
        }
        if (Stride >= length)
        {
            throw new InvalidOperationException(
                $"truncation: the stride {Stride} must be below the {length} tokens that remain for text (max_length less special tokens)");
        }
        List<Encoding> parts = [.. Windows(encoding.Count, length).Select(w => new Encoding(encoding.Items[w]))];
        return new(parts[0].Items, parts.GetRange(1, parts.Count - 1));
    }

    private IEnumerable<Range> Windows(int count, int length)
    {
        int step = length - Stride;
        if (Direction == Side.Right)
        {
            for (int start = 0; ; start += step)
            {
                int stop = Math.Min(start + length, count);
                yield return start..stop;
                if (stop == count)
                {
                    yield break;
                }
            }
        }
        for (int stop = count; ; stop -= step)
        {
            int start = Math.Max(0, stop - length);
            yield return start..stop;
            if (start == 0)
            {
                yield break;
            }
        }
    }
}
