namespace Banyan.Cpu;

/// <summary>
/// PyTorch's type promotion: the higher category (bool, integer, float) wins; within one category the wider type. A 0-d tensor takes part
/// only with its category.
/// </summary>
internal static class Promotion
{
    public static DType Of(Tensor a, Tensor b)
    {
        if (a.DType == b.DType)
        {
            return a.DType;
        }
        bool aIsScalar = a.Rank == 0 && b.Rank > 0, bIsScalar = b.Rank == 0 && a.Rank > 0;
        if (aIsScalar && Category(a.DType) <= Category(b.DType))
        {
            return b.DType;
        }
        if (bIsScalar && Category(b.DType) <= Category(a.DType))
        {
            return a.DType;
        }
        return Of(a.DType, b.DType);
    }

    public static DType Of(DType a, DType b)
    {
        if (a == b)
        {
            return a;
        }
        if (Category(a) != Category(b))
        {
            return Category(a) > Category(b) ? a : b;
        }
        // Of one width: bfloat16 with float16 meets in float32, int8 with uint8 in int16. Otherwise the wider one.
        DType meeting = a.IsFloat ? DType.Float32 : DType.Int16;
        return a.BlockBytes == b.BlockBytes ? meeting : a.BlockBytes > b.BlockBytes ? a : b;
    }

    /// <summary>The type that arithmetic on <paramref name="t"/> runs in.</summary>
    public static DType ComputeType(DType t) => t == DType.Float64 ? t : t.IsFloat ? DType.Float32 : DType.Int64;

    private static int Category(DType t) => t.IsFloat ? 2 : t == DType.Bool ? 0 : 1;
}
