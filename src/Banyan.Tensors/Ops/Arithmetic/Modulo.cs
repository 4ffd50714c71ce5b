using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>The remainder of truncated division, with a's sign (C's %). da = dy, db = -dy trunc(a / b).</summary>
    internal readonly struct Fmod : IBinaryFunction
    {
        public static string Name => "fmod";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<Fmod, S, V>(a, b);

        public static double Apply(double a, double b) => a % b;

        // -1 is its own case: the smallest integer % -1 traps on x86.
        public static long Apply(long a, long b) => b == -1 ? 0 : a % b;

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy;

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => -(dy * (a / b).Trunc());
    }

    /// <summary>The remainder of floored division, with b's sign (Python's %). da = dy, db = -dy floor(a / b).</summary>
    internal readonly struct Remainder : IBinaryFunction
    {
        public static string Name => "remainder";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<Remainder, S, V>(a, b);

        public static double Apply(double a, double b)
        {
            double r = a % b;
            return r != 0 && r < 0 != b < 0 ? r + b : r;
        }

        public static long Apply(long a, long b)
        {
            long r = Fmod.Apply(a, b);
            return r != 0 && r < 0 != b < 0 ? r + b : r;
        }

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy;

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => -(dy * FloorDivide.Run(a, b));
    }

    /// <summary>The quotient rounded down (Python's //). Its slope is 0: not recorded.</summary>
    internal readonly struct FloorDivide : IBinary
    {
        public static Tensor Run(Tensor a, Tensor b) => Elementwise.Binary<FloorDivide>(a, b);

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<FloorDivide, S, V>(a, b);

        // Through the exact remainder: a / b itself may round up to the next integer.
        public static double Apply(double a, double b) =>
            b == 0 || double.IsInfinity(a) ? a / b : Math.Round((a - Remainder.Apply(a, b)) / b, MidpointRounding.ToEven);

        public static long Apply(long a, long b) => b == -1 ? unchecked(-a) : a / b - (Remainder.Apply(a, b) != a % b ? 1 : 0);
    }

    /// <summary>The quotient without its fraction (C's integer division). Its slope is 0: not recorded.</summary>
    internal readonly struct TruncDivide : IBinary
    {
        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => Trunc.Apply<S, V>(S.Div(a, b));

        public static double Apply(double a, double b) => Math.Truncate(a / b);

        public static long Apply(long a, long b) => b == -1 ? unchecked(-a) : a / b;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The remainder with the sign of this tensor (C's %).</summary>
        /// <exception cref="DivideByZeroException">An integer is divided by 0.</exception>
        public Tensor Fmod(Tensor b) => Ops.BinaryFunction<Ops.Fmod>.Apply(this, CheckDivisor(b));

        /// <summary>The remainder with the sign of <paramref name="b"/> (Python's %).</summary>
        /// <exception cref="DivideByZeroException">An integer is divided by 0.</exception>
        public Tensor Remainder(Tensor b) => Ops.BinaryFunction<Ops.Remainder>.Apply(this, CheckDivisor(b));

        /// <summary>The quotient rounded down (Python's //), integers of integers. No gradient.</summary>
        /// <exception cref="DivideByZeroException">An integer is divided by 0.</exception>
        public Tensor FloorDivide(Tensor b) => Ops.FloorDivide.Run(this, CheckDivisor(b));

        /// <summary>The quotient rounded towards 0, integers of integers. No gradient.</summary>
        /// <exception cref="DivideByZeroException">An integer is divided by 0.</exception>
        public Tensor TruncDivide(Tensor b) => Elementwise.Binary<Ops.TruncDivide>(this, CheckDivisor(b));

        private Tensor CheckDivisor(Tensor b)
        {
            if (!DType.IsFloat && !b.DType.IsFloat && !b.Device.IsMeta && b.Count > 0 && b.Eq(0).To(DType.Int64).Sum().Item() > 0)
            {
                throw new DivideByZeroException($"integer division: the divisor {b} holds a zero");
            }
            return b;
        }
    }
}
