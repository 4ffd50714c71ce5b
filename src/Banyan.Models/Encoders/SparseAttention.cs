using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// Attention whose queries see few keys, at the cost of those: neighbouring queries form a group, the keys that a group may see are gathered, and the group is then a
/// sequence of the ragged kernel. A key that is listed twice counts twice.
/// </summary>
public sealed class SparseAttention
{
    private readonly List<long> _keys = [];
    private readonly SequenceLayout _layout = new();
    private readonly List<Func<long, long, bool>?> _sees = [];

    /// <summary>Appends a group.</summary>
    /// <param name="queryStart">Row of its first query.</param>
    /// <param name="queryLength">Number of its queries.</param>
    /// <param name="keys">Rows of its keys.</param>
    /// <param name="sees">Whether the query of a row sees the key of a row; null: all see all of the group's keys.</param>
    public void Add(long queryStart, long queryLength, IReadOnlyCollection<long> keys, Func<long, long, bool>? sees = null)
    {
        _layout.Add(new SequenceSpan(queryStart, queryLength, _keys.Count, keys.Count, 0));
        _keys.AddRange(keys);
        _sees.Add(sees);
    }

    /// <summary>What the queries read: (queries, H, D). A query without a key reads zeros.</summary>
    /// <param name="q">(queries, H, D).</param>
    /// <param name="k">(keys, H, D).</param>
    /// <param name="v">(keys, H, D).</param>
    /// <param name="options">Scale, dropout. Layout and mask are set here.</param>
    public Tensor Apply(Tensor q, Tensor k, Tensor v, AttentionOptions options)
    {
        Tensor rows = q.Scope!.From<long>([.. _keys], [_keys.Count]);
        Tensor Gather(Tensor x) => x.Reshape(x.Shape[0], -1).Embedding(rows).Reshape(_keys.Count, x.Shape[1], x.Shape[2]);
        (options.Layout, options.Mask) = (_layout, _sees.Any(s => s is not null) ? Mask(q.Scope) : null);
        return Ops.Attention.Apply(q, Gather(k), Gather(v), options);
    }

    // (groups, 1, queries, keys)
    private Tensor Mask(Scope scope)
    {
        long queries = _layout.MaxQueryLength, keys = _layout.MaxKeyLength;
        var visible = new bool[checked(_layout.Count * queries * keys)];
        for (int g = 0; g < _layout.Count; g++)
        {
            SequenceSpan group = _layout[g];
            for (long at = 0; at < group.QueryLength * group.KeyLength; at++)
            {
                (long i, long j) = (at / group.KeyLength, at % group.KeyLength);
                visible[(g * queries + i) * keys + j] = _sees[g]?.Invoke(group.QueryStart + i, _keys[(int)(group.KeyStart + j)]) ?? true;
            }
        }
        return scope.From(visible, [_layout.Count, 1, queries, keys]);
    }
}
