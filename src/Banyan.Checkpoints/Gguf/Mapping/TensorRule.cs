namespace Banyan.Checkpoints.Gguf;

/// <summary>
/// Which tensors of a Hugging Face folder and of a GGUF file hold the same numbers, and how they are ordered there: an equation that is read in both directions. One of the
/// two sides has one tensor. Tensors are seen as rows of their last axis (of their elements, where they have one axis or <see cref="ByElement"/> says so).
/// </summary>
internal sealed record TensorRule(string[] Hf, string[] Gguf)
{
    /// <summary>
    /// The row of the Hugging Face side (its tensors one after the other) that each row of a GGUF part is, from the number of rows of that side and the shape of its first tensor;
    /// null: the same order.
    /// </summary>
    public Func<int, long, long[], long[]>? Rows { get; init; }

    /// <summary>The shape of a GGUF part, from the shapes of the Hugging Face side. Default: that of the first.</summary>
    public Func<IReadOnlyList<long[]>, int, long[]> GgufShape { get; init; } = (hf, _) => hf[0];

    /// <summary>The shape of each Hugging Face tensor, from those of the GGUF side. Default: that of the first.</summary>
    public Func<IReadOnlyList<long[]>, long[]> HfShape { get; init; } = gguf => gguf[0];

    /// <summary>Whether a GGUF part has the last two axes swapped, after its rows were put in order.</summary>
    public Func<int, bool> Transposed { get; init; } = _ => false;

    /// <summary>Whether the Hugging Face tensor has its last two axes swapped, before rows are counted.</summary>
    public bool HfTransposed { get; init; }

    /// <summary>Rows are single elements, whatever the shape.</summary>
    public bool ByElement { get; init; }

    /// <summary>What is done to each number on the way to GGUF, in float32, and on the way back.</summary>
    public (Func<float, float> ToGguf, Func<float, float> ToHf)? Each { get; init; }

    /// <summary>A tensor whose numbers and order are the same.</summary>
    public static TensorRule Copy(string hf, string gguf) => new([hf], [gguf]);

    /// <summary>Also for weight and bias: <paramref name="hf"/> and <paramref name="gguf"/> are followed by <c>.weight</c> or <c>.bias</c>.</summary>
    public static TensorRule[] Layer(string hf, string gguf) => [Copy(hf + ".weight", gguf + ".weight"), Copy(hf + ".bias", gguf + ".bias")];

    /// <summary>Rows of heads from the order (head, half, i) to (head, i, half): rotary pairs that lie half a head apart become neighbours.</summary>
    public static TensorRule[] Rotary(string hf, string gguf, int heads) =>
        [.. Layer(hf, gguf).Select(r => r with { Rows = (_, rows, _) => RowOrders.Swap(rows, heads, 2, rows / heads / 2) })];

    /// <summary>Rows from the order (groups, parts, ...) to (parts, groups, ...): a fused projection that lies together by head becomes query, key and value.</summary>
    public static TensorRule[] Ungrouped(string hf, string gguf, int groups, params int[] parts) =>
        [.. Layer(hf, gguf).Select(r => r with { Rows = (_, rows, _) => RowOrders.Ungroup(rows, groups, parts) })];

    /// <summary>A matrix (in, out) that is stored (out, in), and its bias.</summary>
    public static TensorRule[] Conv1D(string hf, string gguf) =>
        [Copy(hf + ".weight", gguf + ".weight") with { GgufShape = (s, _) => Swapped(s[0]), HfShape = s => Swapped(s[0]), Transposed = _ => true }, Copy(hf + ".bias", gguf + ".bias")];

    /// <summary>w + 1: norms that are written around zero.</summary>
    public static TensorRule PlusOne(string hf, string gguf) => Copy(hf + ".weight", gguf + ".weight") with { Each = (w => w + 1, w => w - 1) };

    /// <summary>-exp(w): the decay of a state-space layer. <paramref name="column"/>: stored as a column.</summary>
    public static TensorRule Decay(string hf, string gguf, bool column = false) => (column ? Column(hf, gguf) : Copy(hf, gguf)) with { Each = (w => -MathF.Exp(w), w => MathF.Log(-w)) };

    /// <summary>A vector that is stored as a column.</summary>
    public static TensorRule Column(string hf, string gguf) => Copy(hf, gguf) with { GgufShape = (s, _) => [.. s[0], 1], HfShape = s => s[0][..^1], ByElement = true };

    /// <summary>A depthwise convolution (C, 1, K) that is stored (C, K).</summary>
    public static TensorRule Depthwise(string hf, string gguf) =>
        Copy(hf + ".weight", gguf + ".weight") with { GgufShape = (s, _) => [s[0][0], s[0][^1]], HfShape = s => [s[0][0], 1, s[0][1]] };

    /// <summary>A vector that is stored as (<paramref name="rows"/>, rest).</summary>
    public static TensorRule Folded(string hf, string gguf, int rows) =>
        Copy(hf, gguf) with { GgufShape = (s, _) => [rows, s[0][0] / rows], HfShape = s => [s[0][0] * s[0][1]], ByElement = true };

    /// <summary>Tensors of the names <paramref name="hf"/> with 0 to <paramref name="count"/> - 1 for <c>{e}</c>, stacked.</summary>
    public static TensorRule Stacked(string hf, string gguf, int count) =>
        new([.. Enumerable.Range(0, count).Select(e => hf.Replace("{e}", $"{e}", StringComparison.Ordinal))], [gguf])
        {
            GgufShape = (s, _) => [count, .. s[0]],
            HfShape = s => s[0][1..],
        };

    /// <summary>The first rows are not stored, and zero when they are read back.</summary>
    public static TensorRule WithoutFirst(string hf, string gguf, int rows) => Copy(hf, gguf) with
    {
        Rows = (_, all, _) => [.. RowOrders.Range(rows, all - rows)],
        GgufShape = (s, _) => [s[0][0] - rows, s[0][1]],
        HfShape = s => [s[0][0] + rows, s[0][1]],
    };

    /// <summary>How many rows a Hugging Face tensor of this shape has.</summary>
    public long RowsOf(long[] shape)
    {
        long count = shape.Aggregate(1L, (a, b) => checked(a * b));
        return ByElement || shape.Length < 2 ? count : count / Math.Max(1, HfTransposed ? shape[^2] : shape[^1]);
    }

    private static long[] Swapped(long[] shape) => [.. shape[..^2], shape[^1], shape[^2]];
}
