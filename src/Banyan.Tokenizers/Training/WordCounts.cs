using System.Runtime.InteropServices;

namespace Banyan.Tokenizers.Training;

/// <summary>The pieces of a corpus and how often each occurs, in the order in which they were first seen.</summary>
internal sealed class WordCounts
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public WordCounts() => _lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Count => _counts.Count;

    public IEnumerable<KeyValuePair<string, long>> Items => _counts;

    public void Add(ReadOnlySpan<char> word, long count = 1)
    {
        if (!word.IsEmpty)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_lookup, word, out _) += count;
        }
    }
}
