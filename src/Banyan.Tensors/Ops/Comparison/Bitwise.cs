using Banyan.Cpu;

namespace Banyan;

// Bit by bit on integers, logically on bool tensors; no gradient.
public sealed partial class Tensor
{
    /// <summary>Bitwise (of bool: logical) and.</summary>
    public static Tensor operator &(Tensor a, Tensor b) => Bitwise<AndKernel>(a, b);

    /// <summary>Bitwise (of bool: logical) or.</summary>
    public static Tensor operator |(Tensor a, Tensor b) => Bitwise<OrKernel>(a, b);

    /// <summary>Bitwise (of bool: logical) exclusive or.</summary>
    public static Tensor operator ^(Tensor a, Tensor b) => Bitwise<XorKernel>(a, b);

    /// <summary>Bitwise (of bool: logical) not.</summary>
    public static Tensor operator ~(Tensor a) => a ^ (a.DType == DType.Bool ? a.Number(1) : a.Number(-1));

    /// <summary>Bits moved to the left by b places.</summary>
    public static Tensor operator <<(Tensor a, Tensor b) => Bitwise<ShiftLeftKernel>(a, b);

    /// <summary>Bits moved to the right by b places; the sign stays.</summary>
    public static Tensor operator >>(Tensor a, Tensor b) => Bitwise<ShiftRightKernel>(a, b);

    /// <summary>Where both are not 0.</summary>
    public Tensor LogicalAnd(Tensor b) => To(DType.Bool) & b.To(DType.Bool);

    /// <summary>Where one or both are not 0.</summary>
    public Tensor LogicalOr(Tensor b) => To(DType.Bool) | b.To(DType.Bool);

    /// <summary>Where exactly one is not 0.</summary>
    public Tensor LogicalXor(Tensor b) => To(DType.Bool) ^ b.To(DType.Bool);

    /// <summary>Where the elements are 0.</summary>
    public Tensor LogicalNot() => ~To(DType.Bool);

    private static Tensor Bitwise<F>(Tensor a, Tensor b) where F : struct, IBitwise
    {
        if (a.DType.IsFloat || b.DType.IsFloat)
        {
            throw new ArgumentException($"bitwise operations need integers or bool, given {a.DType} and {b.DType}");
        }
        return Elementwise.Binary<BitwiseKernel<F>>(a, b);
    }

    private interface IBitwise
    {
        static abstract long Apply(long a, long b);
    }

    private readonly struct BitwiseKernel<F> : IBinary where F : struct, IBitwise
    {
        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => throw new NotSupportedException("bitwise operations run in int64");

        public static double Apply(double a, double b) => throw new NotSupportedException("bitwise operations run in int64");

        public static long Apply(long a, long b) => F.Apply(a, b);
    }

    private readonly struct AndKernel : IBitwise
    {
        public static long Apply(long a, long b) => a & b;
    }

    private readonly struct OrKernel : IBitwise
    {
        public static long Apply(long a, long b) => a | b;
    }

    private readonly struct XorKernel : IBitwise
    {
        public static long Apply(long a, long b) => a ^ b;
    }

    private readonly struct ShiftLeftKernel : IBitwise
    {
        public static long Apply(long a, long b) => (ulong)b > 63 ? 0 : a << (int)b;
    }

    private readonly struct ShiftRightKernel : IBitwise
    {
        public static long Apply(long a, long b) => a >> (int)Math.Min((ulong)b, 63);
    }
}
