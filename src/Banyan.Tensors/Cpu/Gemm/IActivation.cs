namespace Banyan.Cpu;

/// <summary>An element-wise function applied to the finished product; the same bits in every vector width.</summary>
internal interface IActivation
{
    /// <summary>True where <see cref="Apply{S,V}"/> returns its argument.</summary>
    static virtual bool IsIdentity => false;

    static abstract V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct;
}

/// <summary>No activation.</summary>
internal readonly struct IdentityActivation : IActivation
{
    public static bool IsIdentity => true;

    public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => x;
}

/// <summary>max(x, 0), with NaN kept.</summary>
internal readonly struct ReluActivation : IActivation
{
    public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Max(x, S.Zero);
}
