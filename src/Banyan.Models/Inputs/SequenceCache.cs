namespace Banyan.Models;

/// <summary>
/// What one sequence has seen, for every layer: keys and values for attention, and named states of fixed size for convolutions, scans and
/// cross-attention. It belongs to the sequence, not to a batch: it may be forked, cut back, or move to another batch at any time.
/// </summary>
public sealed class SequenceCache
{
    private const int FirstCapacity = 64;

    private readonly Dictionary<(int Layer, string Name), Tensor> _slots = [];
    private readonly long _capacity;

    /// <summary>An empty cache.</summary>
    /// <param name="capacity">Tokens to make room for at once; it grows where needed. Default: 64.</param>
    public SequenceCache(long capacity = FirstCapacity) => _capacity = Math.Max(capacity, 1);

    /// <summary>Tokens seen.</summary>
    public long Length { get; private set; }

    /// <summary>Tokens that there is room for before it grows the first time.</summary>
    public long Capacity => _capacity;

    /// <summary>Bytes held.</summary>
    public long Bytes => _slots.Values.Sum(t => t.DType.ByteCount(t.Count));

    /// <summary>Appends keys and values of a layer behind <see cref="Length"/> and gives the whole room (capacity, heads, dim).</summary>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor k, Tensor v) => (AppendTo(layer, "key", k), AppendTo(layer, "value", v));

    // A head's tokens lie together (heads, capacity, dim): a decoding step reads each head from its first token to its last.
    private Tensor AppendTo(int layer, string name, Tensor x)
    {
        long needed = Length + x.Shape[0];
        if (!_slots.TryGetValue((layer, name), out Tensor? room) || room.Shape[1] < needed)
        {
            Tensor larger = Tensor.Zeros([x.Shape[1], Math.Max(Math.Max(_capacity, needed), room is null ? 0 : 2 * room.Shape[1]), x.Shape[2]], x.DType, x.Device);
            if (room is not null)
            {
                larger.Slice(1, 0, Length).CopyFrom(room.Slice(1, 0, Length));
            }
            _slots[(layer, name)] = room = larger;
        }
        // The views belong to the pass, which recycles them.
        Tensor tokens = x.Scope!.Use(room).Transpose(0, 1);
        tokens.Slice(0, Length, x.Shape[0]).CopyFrom(x);
        return tokens;
    }

    /// <summary>A layer's state of this name, or null before its first pass.</summary>
    public Tensor? State(int layer, string name) => _slots.GetValueOrDefault((layer, name));

    /// <summary>Replaces a layer's state with a copy of <paramref name="value"/>.</summary>
    public void SetState(int layer, string name, Tensor value)
    {
        if (!_slots.TryGetValue((layer, name), out Tensor? slot) || slot.Shape != value.Shape)
        {
            _slots[(layer, name)] = slot = Tensor.Zeros(value.Shape, value.DType, value.Device);
        }
        slot.CopyFrom(value);
    }

    /// <summary>Counts tokens as seen.</summary>
    public void Advance(long tokens) => Length += tokens;

    /// <summary>Whether <see cref="Truncate"/> can forget what lies behind the first <paramref name="length"/> tokens.</summary>
    public bool CanTruncate(long length) => length == 0 || length == Length || (length < Length && _slots.Keys.All(k => IsSequence(k.Name)));

    /// <summary>Forgets what lies behind the first <paramref name="length"/> tokens. States of recurrent layers cannot be cut back.</summary>
    /// <exception cref="InvalidOperationException">A layer keeps a recurrent state and the length would shrink to other than 0.</exception>
    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)length, (ulong)Length, nameof(length));
        if (length == 0)
        {
            foreach ((int, string) key in _slots.Keys.Where(k => !IsSequence(k.Name)).ToArray())
            {
                _slots.Remove(key);
            }
        }
        else if (!CanTruncate(length))
        {
            throw new InvalidOperationException("this cache holds recurrent states, which cannot be cut back; fork it before the tokens that may be undone");
        }
        Length = length;
    }

    /// <summary>A copy that goes its own way.</summary>
    public SequenceCache Fork()
    {
        var copy = new SequenceCache(_capacity) { Length = Length };
        foreach (((int, string) key, Tensor value) in _slots)
        {
            Tensor slot = Tensor.Zeros(value.Shape, value.DType, value.Device);
            slot.CopyFrom(value);
            copy._slots[key] = slot;
        }
        return copy;
    }

    private static bool IsSequence(string name) => name is "key" or "value" || EncodedSource.Owns(name);
}
