namespace Banyan.Inference.Sampling;

/// <summary>Forbids every token that would repeat a run of <paramref name="size"/> tokens of the text (Paulus et al. 2017, arXiv:1705.04304).</summary>
/// <param name="size">Length of the run, at least 1.</param>
/// <param name="source">Where repeated runs come from; null: the text itself. An encoder's input, for example.</param>
public sealed class NoRepeatNGram(int size, IReadOnlyList<int>? source = null) : ILogitsProcessor
{
    private readonly int _size = size >= 1 ? size : throw new ArgumentOutOfRangeException(nameof(size), size, "expected at least 1");

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (ids.Length + 1 < _size)
        {
            return;
        }
        ReadOnlySpan<int> tail = ids[^(_size - 1)..], text = source is null ? ids : source.ToArray();
        for (int i = 0; i + _size <= text.Length; i++)
        {
            if (text.Slice(i, _size - 1).SequenceEqual(tail))
            {
                scores[text[i + _size - 1]] = float.NegativeInfinity;
            }
        }
    }
}
