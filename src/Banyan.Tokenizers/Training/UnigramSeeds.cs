using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>
/// The substrings that a unigram model begins with: those that occur at least twice and can be followed by different characters (a substring that is always followed by the same one says no more
/// than the longer one), by count times length. They are the inner nodes of the suffix tree, found by sorting the places of the text.
/// </summary>
internal static class UnigramSeeds
{
    public static List<(string Text, double Score)> Find((string Text, long Count)[] corpus, Dictionary<string, long> characters, int maxLength, int size, CancellationToken cancellationToken)
    {
        // Words one after the other, each ended by a character that no piece has.
        int total = checked(corpus.Sum(w => w.Text.Length + 1));
        char[] text = new char[total];
        int[] wordOf = new int[total];
        List<int> places = new(total);
        int at = 0;
        for (int w = 0; w < corpus.Length; w++)
        {
            corpus[w].Text.CopyTo(0, text, at, corpus[w].Text.Length);
            for (int i = 0; i <= corpus[w].Text.Length; i++)
            {
                wordOf[at + i] = w;
                if (i < corpus[w].Text.Length && !char.IsLowSurrogate(text[at + i]))
                {
                    places.Add(at + i);
                }
            }
            at += corpus[w].Text.Length + 1;
        }
        ReadOnlySpan<char> Suffix(int place) => text.AsSpan(place, Math.Min(maxLength * 2, text.Length - place));
        int[] sorted = [.. places];
        Array.Sort(sorted, (a, b) => a == b ? 0 : Suffix(a).SequenceCompareTo(Suffix(b)) is var order and not 0 ? order : a.CompareTo(b));
        cancellationToken.ThrowIfCancellationRequested();
        List<(int Place, int Length, long Count)> nodes = Nodes(sorted, text, 2 * maxLength, place => corpus[wordOf[place]].Count);
        IEnumerable<(string Text, double Score)> substrings = nodes
            .Select(n => (Text: new string(text, n.Place, n.Length), n.Count)).Where(n => n.Count > 1 && Runes.Count(n.Text) is var length && length > 1 && length <= maxLength && !n.Text.Contains('\0', StringComparison.Ordinal))
            .OrderByDescending(n => n.Count * Runes.Count(n.Text)).ThenBy(n => n.Text, StringComparer.Ordinal).Take(Math.Max(0, size - characters.Count))
            .Select(n => (n.Text, (double)n.Count * Runes.Count(n.Text)));
        List<(string Text, double Score)> seeds = [.. characters.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, (double)c.Value)), .. substrings];
        double logSum = Math.Log(seeds.Sum(s => s.Score));
        return seeds.ConvertAll(s => (s.Text, Math.Log(s.Score) - logSum));
    }

    // Runs of neighbours with a common beginning: each such run at its longest beginning is a node.
    private static List<(int Place, int Length, long Count)> Nodes(int[] sorted, char[] text, int longest, Func<int, long> weight)
    {
        List<(int, int, long)> nodes = [];
        Stack<(int Length, int Place, long Count)> open = new();
        for (int i = 1; i <= sorted.Length; i++)
        {
            int common = i == sorted.Length ? 0 : Common(text, sorted[i - 1], sorted[i], longest), place = sorted[i - 1];
            long count = weight(place);
            while (open.Count > 0 && open.Peek().Length > common)
            {
                (int length, place, long inside) = open.Pop();
                nodes.Add((place, length, count += inside));
            }
            if (open.Count > 0 && open.Peek().Length == common)
            {
                (_, place, long inside) = open.Pop();
                count += inside;
            }
            if (common > 0)
            {
                open.Push((common, place, count));
            }
        }
        return nodes;
    }

    // The end of a word is a character like others here: what stands at ends of words only is no node, as in the reference.
    private static int Common(char[] text, int a, int b, int longest)
    {
        int length = text.AsSpan(a, Math.Min(longest, text.Length - a)).CommonPrefixLength(text.AsSpan(b, Math.Min(longest, text.Length - b)));
        return length > 0 && char.IsHighSurrogate(text[a + length - 1]) ? length - 1 : length;
    }
}
