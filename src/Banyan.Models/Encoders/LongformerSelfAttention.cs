using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// Attention to the neighbours and to a few global tokens, which see everything with queries, keys and values of their own (Beltagy et al. 2020, "Longformer",
/// arXiv:2004.05150). Time is linear in the length. Which tokens are global says <see cref="TokenBatch.Global"/>.
/// </summary>
public sealed class LongformerSelfAttention : EncoderAttention
{
    private readonly int _reach;
    private readonly Linear _q, _k, _v;

    /// <summary>The attention of one layer.</summary>
    /// <param name="c">Widths and heads.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="window">Width of the window, even: half of it lies before a token and half behind.</param>
    public LongformerSelfAttention(EncoderConfig c, int layer, int window) : base(c, layer)
    {
        _reach = window / 2;
        Initializer init = Initializer.Normal(c.InitializerRange);
        _q = Add("query_global", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _k = Add("key_global", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _v = Add("value_global", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
    }

    /// <summary>Reads <c>attention_window</c>: a number for each layer, or one for all.</summary>
    /// <param name="c">The file.</param>
    /// <param name="layers">Number of layers.</param>
    /// <exception cref="CheckpointException">A width is odd or not positive, or their number is another.</exception>
    public static int[] ReadWindows(ConfigReader c, int layers)
    {
        long[] given = c.Has("attention_window") ? c.GetLongs("attention_window") : [512];
        long[] windows = given.Length == 1 ? [.. Enumerable.Repeat(given[0], layers)] : given;
        return windows.Length == layers && windows.All(w => w is > 0 and < 1 << 24 && w % 2 == 0) ? [.. windows.Select(w => (int)w)]
            : throw new CheckpointException(c.Source, $"\"attention_window\" is {string.Join(", ", given)}; expected one even positive number, or one for each of the {layers} layers");
    }

    /// <inheritdoc/>
    protected override Tensor Attend(Tensor x, Tensor q, Tensor k, Tensor v, TokenBatch batch, AttentionOptions options, ForwardPass pass)
    {
        SparseAttention local = new(), global = new();
        var globals = new List<long>();
        for (int s = 0; s < batch.Layout.Count; s++)
        {
            SequenceSpan span = batch.Layout[s];
            long[] visible = [.. Enumerable.Range(0, (int)span.QueryLength).Where(t => span.KeyMaskStart < 0 || batch.Layout.KeyMask![span.KeyMaskStart + t]).Select(t => span.QueryStart + t)];
            long[] own = [.. visible.Where(t => batch.Global?[t] ?? false)];
            AddWindows(local, span, [.. visible.Except(own)], own);
            if (own.Length > 0)
            {
                global.Add(globals.Count, own.Length, visible);
                globals.AddRange(own);
            }
        }
        Tensor y = local.Apply(q, k, v, options);                                              // (T, H, D)
        Tensor Rows(Tensor t) => batch.ZeroPadding(t.Reshape(t.Shape[0], -1)).Reshape(t.Shape);
        if (globals.Count == 0)
        {
            return Rows(y);   // padding reads nothing
        }
        Tensor queries = Heads(_q, x.Embedding(pass.Scope.From<long>([.. globals], [globals.Count])), pass);
        Tensor z = global.Apply(queries, Heads(_k, x, pass), Heads(_v, x, pass), options);     // (globals, H, D)
        long[] places = [.. Enumerable.Range(0, (int)y.Shape[0]).Select(t => (long)t)];
        for (int g = 0; g < globals.Count; g++)
        {
            places[globals[g]] = y.Shape[0] + g;
        }
        Tensor both = Tensor.Cat([y, z], 0);
        return Rows(both.Reshape(both.Shape[0], -1).Embedding(pass.Scope.From<long>(places, [places.Length])).Reshape(y.Shape));
    }

    // Groups as long as the reach: a group sees three times its length, and the global tokens.
    private void AddWindows(SparseAttention local, SequenceSpan span, long[] near, long[] global)
    {
        HashSet<long> everywhere = [.. global];
        int first = 0;
        for (long start = 0; start < span.QueryLength; start += _reach)
        {
            long from = span.QueryStart + start, count = Math.Min(_reach, span.QueryLength - start);
            while (first < near.Length && near[first] < from - _reach)
            {
                first++;
            }
            local.Add(from, count, [.. global, .. near.Skip(first).TakeWhile(t => t < from + count + _reach)], (i, j) => Math.Abs(i - j) <= _reach || everywhere.Contains(j));
        }
    }
}
