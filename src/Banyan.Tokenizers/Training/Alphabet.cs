using Banyan.Tokenizers.Text;
using System.Runtime.InteropServices;

namespace Banyan.Tokenizers.Training;

/// <summary>The characters that BPE begins with.</summary>
internal static class Alphabet
{
    /// <summary>Sorted code points: those of the words, limited to the most frequent, and the initial ones, which always stay.</summary>
    public static int[] Choose(WordCounts words, int? limit, IReadOnlyList<string> initial)
    {
        Dictionary<int, long> counts = [];
        foreach ((string word, long count) in words.Items)
        {
            for (int i = 0; i < word.Length;)
            {
                i += Runes.Decode(word, i, out int rune);
                CollectionsMarshal.GetValueRefOrAddDefault(counts, rune, out _) += count;
            }
        }
        foreach (string s in initial.Where(s => s.Length > 0))
        {
            Runes.Decode(s, 0, out int rune);
            counts[rune] = long.MaxValue;
        }
        IEnumerable<int> kept = counts.OrderByDescending(p => p.Value).ThenByDescending(p => p.Key).Take(limit ?? int.MaxValue).Select(p => p.Key);
        return [.. kept.Order()];
    }
}
