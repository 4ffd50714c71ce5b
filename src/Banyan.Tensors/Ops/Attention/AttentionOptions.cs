namespace Banyan;

/// <summary>What <see cref="Ops.Attention"/> computes besides softmax(q k^T) v. The defaults are full attention over one sequence.</summary>
public sealed class AttentionOptions
{
    /// <summary>Which tokens form sequences. Default null: all tokens are one sequence, whose last query sits at the last key.</summary>
    public SequenceLayout? Layout { get; set; }

    /// <summary>Factor of q k^T. Default null: 1 / sqrt(D).</summary>
    public double? Scale { get; set; }

    /// <summary>True hides the keys after a query's own position. Default: false.</summary>
    public bool Causal { get; set; }

    /// <summary>A causal sliding window: a query sees its own position and the Window - 1 before it. Default null: none.</summary>
    public int? Window { get; set; }

    /// <summary>Positions fall into chunks of so many, and a query sees keys of its own chunk only (Llama 4). Default null: one chunk.</summary>
    public int? Chunk { get; set; }

    /// <summary>How many keys before its own position a query sees. Default null: all.</summary>
    public int? Left { get; set; }

    /// <summary>How many keys after its own position a query sees. Default null: all.</summary>
    public int? Right { get; set; }

    /// <summary>c of c * tanh(score / c), before biases and masks (Gemma 2). Default 0: none.</summary>
    public double SoftCap { get; set; }

    /// <summary>(H): adds -slope * |key position - query position| (ALiBi, Press et al. 2022); a constant. Default null: none.</summary>
    public Tensor? AlibiSlopes { get; set; }

    /// <summary>(H, 2 * span + 1): adds entry clip(key position - query position, -span, span) + span (T5). Default null: none.</summary>
    public Tensor? RelativeBias { get; set; }

    /// <summary>Added to the scores, -inf allowed: broadcast to (sequences, H, queries, keys). Default null: none.</summary>
    public Tensor? Bias { get; set; }

    /// <summary>Boolean, true = visible: broadcast to (sequences, H, queries, keys). Default null: none.</summary>
    public Tensor? Mask { get; set; }

    /// <summary>(H): a logit per head that joins the softmax's denominator only (gpt-oss). Default null: none.</summary>
    public Tensor? Sinks { get; set; }

    /// <summary>Probability that a weight is dropped after the softmax, the rest growing by 1 / (1 - p). Default: 0.</summary>
    public double Dropout { get; set; }

    /// <summary>Seed of dropout; a training step takes another each time.</summary>
    public ulong Seed { get; set; }

    /// <summary>Gives every option its default again, so that a loop can use one object for all its calls.</summary>
    public void Reset()
    {
        (Layout, Scale, Causal, Window, Chunk, Left, Right, SoftCap) = (null, null, false, null, null, null, null, 0);
        (AlibiSlopes, RelativeBias, Bias, Mask, Sinks, Dropout, Seed) = (null, null, null, null, null, 0, 0);
    }

    /// <summary>A copy with this layout, which later changes of the options do not reach.</summary>
    internal AttentionOptions With(SequenceLayout layout)
    {
        var copy = (AttentionOptions)MemberwiseClone();
        copy.Layout = layout;
        return copy;
    }

    /// <summary>The window as (keys before, keys after); int.MaxValue: no limit.</summary>
    /// <exception cref="ArgumentException">Contradictory or negative limits.</exception>
    internal (int Left, int Right) Limits()
    {
        if (Window is not null && (Left is not null || Right is not null))
        {
            throw new ArgumentException("attention: give Window, or Left and Right, not both");
        }
        if (Causal && Right is > 0)
        {
            throw new ArgumentException($"attention: Causal contradicts Right = {Right}");
        }
        if (Window is < 1 || Left is < 0 || Right is < 0)
        {
            throw new ArgumentException($"attention: Window must be at least 1, Left and Right at least 0; given {Window}, {Left}, {Right}");
        }
        return (Window - 1 ?? Left ?? int.MaxValue, Causal || Window is not null ? 0 : Right ?? int.MaxValue);
    }
}
