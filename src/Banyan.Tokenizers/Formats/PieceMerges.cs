using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// Merges of vocabularies that hold ranks only (tiktoken, SentencePiece): there two neighbours merge whenever both together are
/// a token, the best-ranked whole first. So every way to cut a token into two tokens is a merge of the token's rank.
/// </summary>
internal static class PieceMerges
{
    /// <summary>Cutting a token of n characters at every place costs n look-ups of n characters; longer ones are refused.</summary>
    public const int MaxLength = 2048;

    /// <param name="vocabulary">All tokens.</param>
    /// <param name="ranks">The tokens that merging may make or use, with their rank (lower first; equal ranks merge from left to right).</param>
    /// <param name="options">Settings of the model.</param>
    /// <param name="where">The place to name in an error.</param>
    public static Bpe Build(Vocabulary vocabulary, Dictionary<string, int> ranks, BpeOptions options, JsonView where)
    {
        foreach (string token in ranks.Keys)
        {
            if (token.Length > MaxLength)
            {
                throw where.Error($"found a token of {token.Length} characters, expected at most {MaxLength}");
            }
        }
        List<Merge> merges = Cut(vocabulary, ranks);
        merges.Sort();
        MergeTable table = new(merges.Count);
        foreach (Merge m in merges)
        {
            table.Set(m.Left, m.Right, m.Rank, m.Whole);
        }
        return new(vocabulary, table, merges.ConvertAll(m => (m.Left, m.Right)), options);
    }

    private static List<Merge> Cut(Vocabulary vocabulary, Dictionary<string, int> ranks)
    {
        List<Merge> merges = new(ranks.Count);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> parts = ranks.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach ((string token, int rank) in ranks)
        {
            int whole = vocabulary.IdOf(token);
            for (int i = Runes.Width(token, 0); i < token.Length; i += Runes.Width(token, i))
            {
                ReadOnlySpan<char> left = token.AsSpan(0, i), right = token.AsSpan(i);
                if (parts.ContainsKey(left) && parts.ContainsKey(right))
                {
                    merges.Add(new(rank, whole, vocabulary.IdOf(left), vocabulary.IdOf(right)));
                }
            }
        }
        return merges;
    }

    private readonly record struct Merge(int Rank, int Whole, int Left, int Right) : IComparable<Merge>
    {
        public int CompareTo(Merge other) => (Rank, Whole, Left, Right).CompareTo((other.Rank, other.Whole, other.Left, other.Right));
    }
}
