namespace Banyan.Ops;

/// <summary>Says what does not fit about the arguments of <see cref="Attention"/>.</summary>
internal static class AttentionCheck
{
    public static void Inputs(Tensor q, Tensor k, Tensor v)
    {
        if (q.Rank != 3 || k.Rank != 3 || v.Rank != 3)
        {
            throw new ArgumentException($"attention: q, k and v must be (tokens, heads, dim), given {q.Shape}, {k.Shape}, {v.Shape}");
        }
        if (q.Shape[2] != k.Shape[2] || q.Shape[2] == 0)
        {
            throw new ArgumentException($"attention: q {q.Shape} and k {k.Shape} must have the same last dimension, at least 1");
        }
        if (k.Shape[0] != v.Shape[0] || k.Shape[1] != v.Shape[1])
        {
            throw new ArgumentException($"attention: k {k.Shape} and v {v.Shape} must have the same tokens and heads");
        }
        if (k.Shape[1] == 0 || q.Shape[1] % k.Shape[1] != 0)
        {
            throw new ArgumentException($"attention: the {q.Shape[1]} heads of q must be a multiple of the {k.Shape[1]} of k and v");
        }
        if (!q.DType.IsFloat || q.DType != k.DType || q.DType != v.DType)
        {
            throw new ArgumentException($"attention: q, k and v must have one floating-point type, given {q.DType}, {k.DType}, {v.DType}");
        }
    }

    public static void Options(Tensor q, Tensor k, Tensor v, AttentionOptions options, SequenceLayout layout)
    {
        long heads = q.Shape[1];
        _ = options.Limits();
        if (options.Dropout is not (>= 0 and < 1))
        {
            throw new ArgumentException($"attention: Dropout must be in [0, 1), given {options.Dropout}");
        }
        if (options.SoftCap is not >= 0)
        {
            throw new ArgumentException($"attention: SoftCap must be positive, or 0 for none, given {options.SoftCap}");
        }
        PerHead("AlibiSlopes", options.AlibiSlopes, heads);
        PerHead("Sinks", options.Sinks, heads);
        if (options.AlibiSlopes is { RequiresGrad: true })
        {
            throw new ArgumentException("attention: AlibiSlopes are constants; Detach() them");
        }
        if (options.RelativeBias is { } table && (table.Rank != 2 || table.Shape[0] != heads || table.Shape[1] % 2 == 0))
        {
            throw new ArgumentException($"attention: RelativeBias must be (H = {heads}, 2 * span + 1), given {table.Shape}");
        }
        if (options.Mask is { } mask && mask.DType != DType.Bool)
        {
            throw new ArgumentException($"attention: Mask must be bool (true = visible), given {mask.DType}; an additive mask is a Bias");
        }
        Scores("Bias", options.Bias, heads, layout);
        Scores("Mask", options.Mask, heads, layout);
        Layout(q, k, v, layout);
    }

    /// <summary>Gradients of keys are overwritten sequence by sequence: each key may belong to one.</summary>
    public static void BackwardLayout(SequenceLayout layout)
    {
        for (int i = 0; i < layout.Count; i++)
        {
            SequenceSpan a = layout[i];
            for (int j = i - 1; j >= 0; j--)
            {
                SequenceSpan b = layout[j];
                if (a.Keys is null && b.Keys is null && a.KeyStart < b.KeyStart + b.KeyLength && b.KeyStart < a.KeyStart + a.KeyLength)
                {
                    throw new InvalidOperationException($"backward of 'attention': sequences {j} and {i} share keys, {b} and {a}; give each its own rows of k and v");
                }
                if (b.KeyStart + b.KeyLength <= a.KeyStart && b.Keys is null)
                {
                    break;   // in ascending order, as they nearly always are, one comparison is enough
                }
            }
        }
    }

    private static void PerHead(string name, Tensor? x, long heads)
    {
        if (x is not null && x.Shape != [heads])
        {
            throw new ArgumentException($"attention: {name} must be (H = {heads}), given {x.Shape}");
        }
    }

    private static void Scores(string name, Tensor? x, long heads, SequenceLayout layout)
    {
        if (x is null)
        {
            return;
        }
        ReadOnlySpan<long> wanted = [layout.Count, heads, layout.MaxQueryLength, layout.MaxKeyLength];
        bool fits = x.Rank <= 4;
        for (int i = 1; i <= x.Rank && fits; i++)
        {
            long size = x.Shape[-i];
            fits = size == 1 || size == wanted[4 - i] || (i <= 2 && size > wanted[4 - i]);
        }
        if (!fits)
        {
            throw new ArgumentException($"attention: {name} {x.Shape} does not broadcast to (sequences, H, queries, keys) = {new Shape(wanted)}");
        }
    }

    private static void Layout(Tensor q, Tensor k, Tensor v, SequenceLayout layout)
    {
        for (int i = 0; i < layout.Count; i++)
        {
            SequenceSpan s = layout[i];
            Tensor keys = s.Keys ?? k, values = s.Values ?? v;
            if (s.QueryLength > q.Shape[0] - s.QueryStart || s.KeyLength > Math.Min(keys.Shape[0], values.Shape[0]) - s.KeyStart)
            {
                throw new ArgumentException($"attention: sequence {i}, {s}, lies outside of the {q.Shape[0]} tokens of q or the {keys.Shape[0]} of k");
            }
            if (s.Keys is not null && (!Fits(keys, k, q.DType) || !Fits(values, v, q.DType)))
            {
                throw new ArgumentException($"attention: the own keys {keys} and values {values} of sequence {i} must be (capacity, heads, dim) as k {k.Shape} and v {v.Shape}, "
                    + $"of type {Cpu.Promotion.ComputeType(q.DType)}, the last dimension contiguous");
            }
            if (s.KeyMaskStart >= 0 && s.KeyLength > (layout.KeyMask?.LongLength ?? 0) - s.KeyMaskStart)
            {
                throw new ArgumentException($"attention: the key mask has {layout.KeyMask?.LongLength ?? 0} flags, sequence {i} needs {s.KeyMaskStart}..{s.KeyMaskStart + s.KeyLength}");
            }
        }
    }

    private static bool Fits(Tensor own, Tensor shared, DType type) => own.Rank == 3 && own.Shape[1] == shared.Shape[1] && own.Shape[2] == shared.Shape[2]
        && own.DType == Cpu.Promotion.ComputeType(type) && (own.Strides[2] == 1 || own.Shape[2] == 1);
}
