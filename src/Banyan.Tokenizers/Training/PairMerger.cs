using System.Runtime.InteropServices;

namespace Banyan.Tokenizers.Training;

/// <summary>
/// The words of a corpus as symbols, the count of every adjacent pair with the words that hold it, and a heap of pairs.
/// A merge touches only the words of its pair; heap entries whose count has changed are corrected when they come up.
/// </summary>
internal sealed class PairMerger(int maxTokenLength)
{
    private readonly List<Word> _words = [];
    private readonly Dictionary<long, int> _index = [];
    private readonly List<Pair> _pairs = [];
    private readonly List<int> _lengths = [];   // characters of each symbol
    private readonly List<int> _touched = [];   // pairs that a merge created or increased
    private readonly PriorityQueue<int, (long Count, long Key)> _heap = new(new MostFrequentFirst());

    private struct Word
    {
        public int[] Symbols;
        public int Length;
        public long Count;
    }

    private struct Pair
    {
        public long Key;
        public long Count;
        public int[] Words;
        public int WordCount;
        public bool Touched;
    }

    private sealed class MostFrequentFirst : IComparer<(long Count, long Key)>
    {
        public int Compare((long Count, long Key) a, (long Count, long Key) b) =>
            a.Count != b.Count ? b.Count.CompareTo(a.Count) : a.Key.CompareTo(b.Key);
    }

    public void AddWord(List<int> symbols, long count)
    {
        foreach (int s in symbols)
        {
            SetLength(s, 1);
        }
        if (symbols.Count > 1)
        {
            _words.Add(new() { Symbols = [.. symbols], Length = symbols.Count, Count = count });
        }
    }

    public void CountPairs()
    {
        for (int w = 0; w < _words.Count; w++)
        {
            Word word = _words[w];
            for (int i = 0; i + 1 < word.Length; i++)
            {
                Increase(word.Symbols[i], word.Symbols[i + 1], word.Count, w);
            }
        }
        PushTouched();
    }

    /// <summary>The most frequent pair, if it occurs at least <paramref name="minimum"/> times.</summary>
    public bool TryBest(int minimum, out int left, out int right)
    {
        while (_heap.TryDequeue(out int index, out (long Count, long Key) priority))
        {
            long count = _pairs[index].Count;
            if (count != priority.Count)
            {
                if (count > 0)
                {
                    _heap.Enqueue(index, (count, priority.Key));
                }
                continue;
            }
            (left, right) = ((int)(priority.Key >> 32), (int)priority.Key);
            return count >= minimum;
        }
        (left, right) = (-1, -1);
        return false;
    }

    /// <summary>Replaces the pair by a symbol in every word.</summary>
    public void Merge(int left, int right, int symbol)
    {
        SetLength(symbol, _lengths[left] + _lengths[right]);
        int index = _index[Key(left, right)];
        Pair pair = _pairs[index];
        Span<Word> words = CollectionsMarshal.AsSpan(_words);
        for (int i = 0; i < pair.WordCount; i++)
        {
            Merge(ref words[pair.Words[i]], pair.Words[i], left, right, symbol);
        }
        ref Pair merged = ref CollectionsMarshal.AsSpan(_pairs)[index];
        (merged.Count, merged.Words, merged.WordCount) = (0, [], 0);
        PushTouched();
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private void Merge(ref Word word, int wordIndex, int left, int right, int symbol)
    {
        int[] s = word.Symbols;
        int length = _lengths[symbol];
        int to = 0;
        for (int from = 0; from < word.Length; from++)
        {
            if (s[from] != left || from + 1 >= word.Length || s[from + 1] != right)
            {
                s[to++] = s[from];
                continue;
            }
            if (to > 0)
            {
                Decrease(s[to - 1], left, word.Count);
                CountNeighbours(s[to - 1], symbol, length + _lengths[s[to - 1]], word.Count, wordIndex);
            }
            if (from + 2 < word.Length)
            {
                int next = s[from + 2];
                Decrease(right, next, word.Count);
                CountNeighbours(symbol, next, length + _lengths[next], word.Count, wordIndex);
            }
            s[to++] = symbol;
            from++;
        }
        word.Length = to;
    }

    private void CountNeighbours(int left, int right, int length, long count, int word)
    {
        if (length < maxTokenLength)
        {
            Increase(left, right, count, word);
        }
    }

    private void Increase(int left, int right, long count, int word)
    {
        ref int slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_index, Key(left, right), out bool known);
        if (!known)
        {
            slot = _pairs.Count;
            _pairs.Add(new() { Key = Key(left, right), Words = [] });
        }
        int index = slot;
        ref Pair pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
        pair.Count += count;
        if (!pair.Touched)
        {
            pair.Touched = true;
            _touched.Add(index);
        }
        if (pair.WordCount > 0 && pair.Words[pair.WordCount - 1] == word)
        {
            return;
        }
        if (pair.WordCount == pair.Words.Length)
        {
            Array.Resize(ref pair.Words, Math.Max(2, pair.WordCount * 2));
        }
        pair.Words[pair.WordCount++] = word;
    }

    private void Decrease(int left, int right, long count)
    {
        if (_index.TryGetValue(Key(left, right), out int index))
        {
            CollectionsMarshal.AsSpan(_pairs)[index].Count -= count;
        }
    }

    private void PushTouched()
    {
        foreach (int index in _touched)
        {
            ref Pair pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
            pair.Touched = false;
            if (pair.Count > 0)
            {
                _heap.Enqueue(index, (pair.Count, pair.Key));
            }
        }
        _touched.Clear();
    }

    private void SetLength(int symbol, int length)
    {
        while (_lengths.Count <= symbol)
        {
            _lengths.Add(0);
        }
        _lengths[symbol] = length;
    }
}
