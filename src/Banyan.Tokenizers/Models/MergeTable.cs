using System.Numerics;

namespace Banyan.Tokenizers.Models;

/// <summary>
/// Pair of token ids to (rank, merged id): an open-addressing hash table, since this look-up is the heart of BPE.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that never merges.</summary>
    public const int None = int.MaxValue;

    private readonly struct Slot(ulong key, int rank, int id)
    {
        public readonly ulong Key = key;     // pair + 1, so that 0 is empty
        public readonly int Rank = rank;
        public readonly int Id = id;
    }

    private readonly Slot[] _slots;
    private readonly int _shift;

    public MergeTable(int capacity)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, Math.Min(1L << 30, capacity * 2L)));
        _slots = new Slot[size];
        _shift = 64 - BitOperations.Log2((uint)size);
    }

    /// <summary>Sets the merge of a pair; a later one replaces an earlier one.</summary>
    public void Set(int left, int right, int rank, int id)
    {
        ulong key = Pair(left, right) + 1;
        int i = Index(key);
        while (_slots[i].Key != 0 && _slots[i].Key != key)
        {
            i = (i + 1) & (_slots.Length - 1);
        }
        _slots[i] = new(key, rank, id);
    }

    /// <summary>The rank of a pair (lower merges first) or <see cref="None"/>, and the merged id.</summary>
    public int Rank(int left, int right, out int id)
    {
        ulong key = Pair(left, right) + 1;
        int i = Index(key);
        while (true)
        {
            ref readonly Slot slot = ref _slots[i];
            if (slot.Key == key)
            {
                id = slot.Id;
                return slot.Rank;
            }
            if (slot.Key == 0)
            {
                id = -1;
                return None;
            }
            i = (i + 1) & (_slots.Length - 1);
        }
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Index(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
}
