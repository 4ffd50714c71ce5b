namespace Banyan.Models;

/// <summary>What an encoder made of the sources of a batch, for a decoder to attend to.</summary>
/// <param name="hidden">(source tokens, C): the sources one after another.</param>
/// <param name="layout">Each sequence's place and mask.</param>
public sealed class EncodedSource(Tensor hidden, SequenceLayout layout)
{
    private const string Keys = "source.key", Values = "source.value";

    /// <summary>(source tokens, C).</summary>
    public Tensor Hidden { get; } = hidden;

    /// <summary>Each sequence's place and mask.</summary>
    public SequenceLayout Layout { get; } = layout;

    /// <summary>True for the names of states in a <see cref="SequenceCache"/> that come from a source.</summary>
    internal static bool Owns(string state) => state is Keys or Values;

    /// <summary>How the queries of a batch see this source.</summary>
    internal SequenceLayout SeenBy(SequenceLayout queries)
    {
        if (queries.Count != Layout.Count)
        {
            throw new ArgumentException($"{queries.Count} targets for {Layout.Count} sources");
        }
        var seen = new SequenceLayout { KeyMask = Layout.KeyMask };
        for (int s = 0; s < queries.Count; s++)
        {
            SequenceSpan q = queries[s], source = Layout[s];
            seen.Add(new SequenceSpan(q.QueryStart, q.QueryLength, source.QueryStart, source.QueryLength, 0) { KeyMaskStart = source.KeyMaskStart });
        }
        return seen;
    }

    /// <summary>Leaves each sequence's visible keys and values of a layer in its cache.</summary>
    internal void Remember(IReadOnlyList<SequenceCache> caches, int layer, Tensor k, Tensor v)
    {
        for (int s = 0; s < Layout.Count; s++)
        {
            SequenceSpan span = Layout[s];
            long[] visible = [.. Enumerable.Range(0, (int)span.QueryLength).Where(i => span.KeyMaskStart < 0 || Layout.KeyMask![span.KeyMaskStart + i]).Select(i => span.QueryStart + i)];
            Tensor rows = k.Scope!.From(visible, [visible.Length]);
            caches[s].SetState(layer, Keys, k.IndexSelect(0, rows));
            caches[s].SetState(layer, Values, v.IndexSelect(0, rows));
        }
    }

    /// <summary>How the queries of a batch see what <see cref="Remember"/> left in their caches.</summary>
    /// <param name="queries">The batch's layout.</param>
    /// <param name="caches">One for each sequence.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="keys">One of the keys: attention takes its shape from it.</param>
    /// <param name="values">Its values.</param>
    internal static SequenceLayout Remembered(SequenceLayout queries, IReadOnlyList<SequenceCache> caches, int layer, out Tensor keys, out Tensor values)
    {
        (keys, values) = (State(caches[0], layer, Keys), State(caches[0], layer, Values));
        var seen = new SequenceLayout();
        for (int s = 0; s < queries.Count; s++)
        {
            Tensor k = State(caches[s], layer, Keys);
            seen.Add(new SequenceSpan(queries[s].QueryStart, queries[s].QueryLength, 0, k.Shape[0], 0) { Keys = k, Values = State(caches[s], layer, Values) });
        }
        return seen;
    }

    private static Tensor State(SequenceCache cache, int layer, string name) => cache.State(layer, name)
        ?? throw new InvalidOperationException("a decoder was run without a source; give the first pass of each sequence its TokenBatch.Source");
}
