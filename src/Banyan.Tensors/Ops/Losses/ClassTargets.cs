namespace Banyan.Ops;

/// <summary>
/// Class numbers as columns (N, 1): as given, an index that is valid even for ignored targets, 1 or 0 for counted or ignored, and the weight
/// of each target (its class's weight, 0 when ignored).
/// </summary>
internal readonly struct ClassTargets
{
    public ClassTargets(Tensor target, Tensor? classWeight, long ignoreIndex, DType type)
    {
        Class = target.Detach().To(DType.Int64).Reshape(-1, 1).Contiguous();
        Ignored = ignoreIndex;
        IsIgnored = Class.Eq(ignoreIndex);
        Index = Class.MaskedFill(IsIgnored, 0);
        Counted = 1 - IsIgnored.To(type);
        Weight = classWeight is null ? Counted : classWeight.Detach().To(type).Reshape(-1, 1).Gather(0, Index) * Counted;
    }

    /// <summary>The class numbers as they were given.</summary>
    public Tensor Class { get; }

    /// <summary>The class number that does not count.</summary>
    public long Ignored { get; }

    public Tensor IsIgnored { get; }

    public Tensor Index { get; }

    public Tensor Counted { get; }

    public Tensor Weight { get; }

    /// <summary>Logits (C), (N, C) or (N, C, ...) as rows (N * ..., C).</summary>
    public static Tensor Rows(Tensor x)
    {
        if (x.Rank <= 2)
        {
            return x.Rank == 2 ? x : x.Reshape(1, -1);
        }
        Span<long> order = stackalloc long[Shape.MaxRank];
        for (int i = 1; i < x.Rank - 1; i++)
        {
            order[i] = i + 1;
        }
        order[x.Rank - 1] = 1;
        return x.Permute(order[..x.Rank]).Reshape(-1, x.Shape[1]);
    }

    /// <summary>The shape of class numbers for logits x: without the class dimension.</summary>
    public static Shape ShapeFor(string op, Tensor x)
    {
        return x.Rank switch
        {
            0 => throw new ArgumentException($"{op}: the input needs a dimension of classes, it is {x.Shape}"),
            1 => default,
            _ => x.Shape.Without(1),
        };
    }

    public static void Check(string op, Tensor x, Tensor target, Tensor? weight)
    {
        Shape expected = ShapeFor(op, x);
        if (target.DType.IsFloat || target.Shape != expected)
        {
            throw new ArgumentException($"{op}: the target is {target}, class numbers {expected} of type int64 are expected for the input {x.Shape}");
        }
        CheckWeight(op, x, weight);
    }

    public static void CheckWeight(string op, Tensor x, Tensor? weight)
    {
        long classes = x.Shape[x.Rank == 1 ? 0 : 1];
        if (weight is not null && (weight.Rank != 1 || weight.Count != classes))
        {
            throw new ArgumentException($"{op}: the class weight is {weight.Shape}, [{classes}] is expected for the input {x.Shape}");
        }
    }
}
