namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>What becomes of the matches when a text is split at them.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>A part of a text: a match of the pattern, or what lies between two.</summary>
internal readonly record struct MatchPart(int Start, int End, bool IsMatch);

/// <summary>Joins or drops parts as a behaviour says.</summary>
internal static class SplitParts
{
    public static List<MatchPart> Arrange(List<MatchPart> parts, SplitBehavior behavior) => behavior switch
    {
        SplitBehavior.Removed => parts.FindAll(p => !p.IsMatch),
        SplitBehavior.MergedWithPrevious => WithPrevious(parts),
        SplitBehavior.MergedWithNext => WithNext(parts),
        SplitBehavior.Contiguous => Contiguous(parts),
        _ => parts,
    };

    private static List<MatchPart> WithPrevious(List<MatchPart> parts)
    {
        List<MatchPart> result = [];
        bool previous = false;
        foreach (MatchPart part in parts)
        {
            if (part.IsMatch && !previous && result.Count > 0)
            {
                result[^1] = result[^1] with { End = part.End };
            }
            else
            {
                result.Add(part);
            }
            previous = part.IsMatch;
        }
        return result;
    }

    private static List<MatchPart> WithNext(List<MatchPart> parts)
    {
        List<MatchPart> result = [];
        bool previous = false;
        for (int i = parts.Count - 1; i >= 0; i--)
        {
            MatchPart part = parts[i];
            if (part.IsMatch && !previous && result.Count > 0)
            {
                result[^1] = result[^1] with { Start = part.Start };
            }
            else
            {
                result.Add(part);
            }
            previous = part.IsMatch;
        }
        result.Reverse();
        return result;
    }

    private static List<MatchPart> Contiguous(List<MatchPart> parts)
    {
        List<MatchPart> result = [];
        foreach (MatchPart part in parts)
        {
            if (result.Count > 0 && result[^1].IsMatch == part.IsMatch)
            {
                result[^1] = result[^1] with { End = part.End };
            }
            else
            {
                result.Add(part);
            }
        }
        return result;
    }
}
