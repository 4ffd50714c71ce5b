using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Banyan.Tokenizers.Models;

/// <summary>
/// Remembers what a piece of text became. Text follows Zipf's law, so nearly every piece is found here; one look-up
/// costs a hash and one compare. Bounded: when it is full, new pieces are not remembered. One user at a time.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Pieces longer than this many UTF-16 units are not remembered.</summary>
    public const int MaxKey = 48;

    private const int MaxEntries = 1 << 16;

    private struct Entry
    {
        public ulong Low;       // the key itself up to 8 units, else two hashes
        public ulong High;
        public int KeyLength;   // 0 = empty
        public int KeyOffset;
        public int Value;       // the only value, or where the values begin
        public int ValueCount;
    }

    private Entry[] _entries = new Entry[1 << 10];
    private char[] _keys = new char[1 << 12];
    private int[] _values = new int[1 << 12];
    private int _count;
    private int _keysUsed;
    private int _valuesUsed;

    /// <summary>Finds the values of a piece. The span lives until the next <see cref="Add"/>.</summary>
    public bool TryGet(ReadOnlySpan<char> key, out ReadOnlySpan<int> values)
    {
        if (key.Length > MaxKey)
        {
            values = default;
            return false;
        }
        (ulong low, ulong high) = Fingerprint(key);
        ref Entry e = ref Find(low, high, key);
        if (e.KeyLength == 0)
        {
            values = default;
            return false;
        }
        values = e.ValueCount == 1
            ? MemoryMarshal.CreateReadOnlySpan(ref e.Value, 1)
            : _values.AsSpan(e.Value, e.ValueCount);
        return true;
    }

    public void Add(ReadOnlySpan<char> key, ReadOnlySpan<int> values)
    {
        if (key.Length > MaxKey || key.IsEmpty || _count >= MaxEntries)
        {
            return;
        }
        if (_count * 2 >= _entries.Length)
        {
            Grow();
        }
        (ulong low, ulong high) = Fingerprint(key);
        ref Entry e = ref Find(low, high, key);
        if (e.KeyLength != 0)
        {
            return;
        }
        e = new() { Low = low, High = high, KeyLength = key.Length, KeyOffset = _keysUsed, ValueCount = values.Length };
        if (key.Length > 8)
        {
            Append(ref _keys, ref _keysUsed, key);
        }
        e.Value = values.Length == 1 ? values[0] : _valuesUsed;
        if (values.Length != 1)
        {
            Append(ref _values, ref _valuesUsed, values);
        }
        _count++;
    }

    private static void Append<T>(ref T[] array, ref int used, ReadOnlySpan<T> items)
    {
        while (used + items.Length > array.Length)
        {
            Array.Resize(ref array, array.Length * 2);
        }
        items.CopyTo(array.AsSpan(used));
        used += items.Length;
    }

    private ref Entry Find(ulong low, ulong high, ReadOnlySpan<char> key)
    {
        int mask = _entries.Length - 1;
        int i = (int)((((low * 0x9E3779B97F4A7C15UL) ^ high ^ (uint)key.Length) * 0xD6E8FEB86659FD93UL) >> 40) & mask;
        while (true)
        {
            ref Entry e = ref _entries[i];
            if (e.KeyLength == 0
                || (e.Low == low && e.High == high && e.KeyLength == key.Length
                    && (key.Length <= 8 || key.SequenceEqual(_keys.AsSpan(e.KeyOffset, key.Length)))))
            {
                return ref e;
            }
            i = (i + 1) & mask;
        }
    }

    /// <summary>Up to 8 units: two overlapping words hold the key itself. Longer: two running hashes.</summary>
    private static (ulong Low, ulong High) Fingerprint(ReadOnlySpan<char> key)
    {
        ref byte p = ref Unsafe.As<char, byte>(ref MemoryMarshal.GetReference(key));
        int n = key.Length;
        if (n < 4)
        {
            return n == 0 ? (0UL, 0UL) : ((ulong)key[0] | ((ulong)key[n >> 1] << 16) | ((ulong)key[n - 1] << 32), 0UL);
        }
        ulong first = Unsafe.ReadUnaligned<ulong>(ref p);
        ulong last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref p, (n - 4) * 2));
        if (n <= 8)
        {
            return (first, last);
        }
        ulong low = first, high = last;
        for (int i = 4; i < n - 4; i += 4)
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref p, i * 2));
            low = (low ^ word) * 0xA0761D6478BD642FUL;
            low ^= low >> 29;
            high = BitOperations.RotateLeft(high, 23) + (word * 0xE7037ED1A0B428DBUL);
        }
        return (low, high);
    }

    private void Grow()
    {
        Entry[] old = _entries;
        _entries = new Entry[old.Length * 2];
        int mask = _entries.Length - 1;
        foreach (Entry e in old)
        {
            if (e.KeyLength == 0)
            {
                continue;
            }
            int i = (int)((((e.Low * 0x9E3779B97F4A7C15UL) ^ e.High ^ (uint)e.KeyLength) * 0xD6E8FEB86659FD93UL) >> 40) & mask;
            while (_entries[i].KeyLength != 0)
            {
                i = (i + 1) & mask;
            }
            _entries[i] = e;
        }
    }
}
