namespace Banyan.Cpu;

/// <summary>An associative combination of elements, and what combining none of them gives.</summary>
internal interface IReduction
{
    static abstract double Start { get; }

    static abstract long StartLong { get; }

    static abstract V Combine<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct;

    static abstract double Combine(double a, double b);

    static abstract long Combine(long a, long b);
}

internal readonly struct SumReduction : IReduction
{
    public static double Start => 0;

    public static long StartLong => 0;

    public static V Combine<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Add(a, b);

    public static double Combine(double a, double b) => a + b;

    public static long Combine(long a, long b) => a + b;
}

internal readonly struct ProductReduction : IReduction
{
    public static double Start => 1;

    public static long StartLong => 1;

    public static V Combine<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Mul(a, b);

    public static double Combine(double a, double b) => a * b;

    public static long Combine(long a, long b) => a * b;
}

/// <summary>The largest; NaN wins.</summary>
internal readonly struct MaxReduction : IReduction
{
    public static double Start => double.NegativeInfinity;

    public static long StartLong => long.MinValue;

    public static V Combine<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Max(a, b);

    public static double Combine(double a, double b) => Math.Max(a, b);

    public static long Combine(long a, long b) => Math.Max(a, b);
}

/// <summary>The smallest; NaN wins.</summary>
internal readonly struct MinReduction : IReduction
{
    public static double Start => double.PositiveInfinity;

    public static long StartLong => long.MaxValue;

    public static V Combine<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.Min(a, b);

    public static double Combine(double a, double b) => Math.Min(a, b);

    public static long Combine(long a, long b) => Math.Min(a, b);
}
