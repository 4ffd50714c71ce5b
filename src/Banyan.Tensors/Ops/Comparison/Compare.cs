using Banyan.Cpu;

namespace Banyan;

// Comparisons give bool tensors; they have no gradient.
public sealed partial class Tensor
{
    /// <summary>Where a is less than b.</summary>
    public static Tensor operator <(Tensor a, Tensor b) => Compare<LessKernel>(a, b);

    /// <summary>Where a is greater than b.</summary>
    public static Tensor operator >(Tensor a, Tensor b) => Compare<LessKernel>(b, a);

    /// <summary>Where a is less than or equal to b.</summary>
    public static Tensor operator <=(Tensor a, Tensor b) => Compare<LessEqualKernel>(a, b);

    /// <summary>Where a is greater than or equal to b.</summary>
    public static Tensor operator >=(Tensor a, Tensor b) => Compare<LessEqualKernel>(b, a);

    /// <summary>Where a is less than a number.</summary>
    public static Tensor operator <(Tensor a, double b) => a < a.Number(b);

    /// <summary>Where a is greater than a number.</summary>
    public static Tensor operator >(Tensor a, double b) => a > a.Number(b);

    /// <summary>Where a is at most a number.</summary>
    public static Tensor operator <=(Tensor a, double b) => a <= a.Number(b);

    /// <summary>Where a is at least a number.</summary>
    public static Tensor operator >=(Tensor a, double b) => a >= a.Number(b);

    /// <summary>Where both are equal.</summary>
    public Tensor Eq(Tensor b) => Compare<EqualKernel>(this, b);

    /// <summary>Where this equals a number.</summary>
    public Tensor Eq(double b) => Eq(Number(b));

    /// <summary>Where both differ (NaN differs from itself).</summary>
    public Tensor Ne(Tensor b) => ~Eq(b);

    /// <summary>Where this differs from a number.</summary>
    public Tensor Ne(double b) => ~Eq(b);

    /// <summary>A 0-d tensor beside this one, in its type: it never widens a result.</summary>
    internal Tensor Number(double value)
    {
        Tensor t = Allocate(this, [], DType);
        t.Fill(value);
        return t;
    }

    private static Tensor Compare<F>(Tensor a, Tensor b) where F : struct, IBinary => Elementwise.Convert(Elementwise.Binary<F>(a, b), DType.Bool);

    private readonly struct LessKernel : IBinary
    {
        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.And(S.Less(a, b), S.Splat(1f));

        public static double Apply(double a, double b) => a < b ? 1 : 0;

        public static long Apply(long a, long b) => a < b ? 1 : 0;
    }

    private readonly struct LessEqualKernel : IBinary
    {
        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.And(S.LessOrEqual(a, b), S.Splat(1f));

        public static double Apply(double a, double b) => a <= b ? 1 : 0;

        public static long Apply(long a, long b) => a <= b ? 1 : 0;
    }

    private readonly struct EqualKernel : IBinary
    {
        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => S.And(S.Equal(a, b), S.Splat(1f));

        public static double Apply(double a, double b) => a == b ? 1 : 0;

        public static long Apply(long a, long b) => a == b ? 1 : 0;
    }
}
