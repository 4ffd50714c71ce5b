namespace Banyan.Checkpoints;

/// <summary>Finds the known name that a mistyped one most likely meant.</summary>
public static class NearestName
{
    /// <summary>The known name with the smallest edit distance, or null where none is near (more than a third of the letters, at least 2, differ).</summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        int limit = Math.Max(2, name.Length / 3);
        string? nearest = null;
        foreach (string candidate in known)
        {
            int distance = Math.Abs(candidate.Length - name.Length) > limit ? int.MaxValue : Distance(name, candidate);
            if (distance <= limit)
            {
                nearest = candidate;
                limit = distance - 1; // the first of equally near names stays
            }
        }
        return nearest;
    }

    /// <summary>The sentence part <c>; did you mean "..."?</c>, or an empty string.</summary>
    public static string Hint(string name, IEnumerable<string> known) =>
        Find(name, known) is { } nearest ? $"; did you mean {CheckpointException.Quote(nearest)}?" : "";

    /// <summary>Levenshtein's distance: the least number of inserted, deleted or replaced letters (upper and lower case count as equal).</summary>
    public static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replace, 1 + Math.Min(row[j - 1], row[j]));
            }
        }
        return row[b.Length];
    }
}
