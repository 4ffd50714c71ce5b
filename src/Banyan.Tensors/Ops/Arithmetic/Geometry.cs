using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>The angle of the point (b, a). da = dy b / (a^2 + b^2), db = -dy a / (a^2 + b^2).</summary>
    internal readonly struct Atan2 : IBinaryFunction
    {
        public static string Name => "atan2";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<Atan2, S, V>(a, b);

        public static double Apply(double a, double b) => Math.Atan2(a, b);

        public static long Apply(long a, long b) => throw new NotSupportedException("atan2 of integers runs in float32");

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * b / (a.Square() + b.Square());

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => -(dy * a / (a.Square() + b.Square()));
    }

    /// <summary>sqrt(a^2 + b^2) without overflow. da = dy a / y, db = dy b / y.</summary>
    internal readonly struct Hypot : IBinaryFunction
    {
        public static string Name => "hypot";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct => PerLane.Binary<Hypot, S, V>(a, b);

        public static double Apply(double a, double b) => double.Hypot(a, b);

        public static long Apply(long a, long b) => throw new NotSupportedException("hypot of integers runs in float32");

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (a / y);

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (b / y);
    }

    /// <summary>|a| with b's sign. da = dy y / a (0 at a = 0); b has no gradient.</summary>
    internal readonly struct CopySign : IBinaryFunction
    {
        public static string Name => "copysign";

        public static V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct =>
            S.Or(S.Abs(a), S.And(b, S.SplatInt(int.MinValue)));

        public static double Apply(double a, double b) => Math.CopySign(a, b);

        public static long Apply(long a, long b) => throw new NotSupportedException("copysign of integers runs in float32");

        public static Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * (y / a).MaskedFill(a.Eq(0), 0);

        public static Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy) => dy * 0;
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The angle in radians of the points (x, y), with y this tensor.</summary>
        public Tensor Atan2(Tensor x) => Ops.BinaryFunction<Ops.Atan2>.ApplyAsFloat(this, x);

        /// <summary>sqrt(this^2 + b^2), without overflow in between.</summary>
        public Tensor Hypot(Tensor b) => Ops.BinaryFunction<Ops.Hypot>.ApplyAsFloat(this, b);

        /// <summary>The magnitudes of this tensor with the signs of <paramref name="sign"/>.</summary>
        public Tensor CopySign(Tensor sign) => Ops.BinaryFunction<Ops.CopySign>.ApplyAsFloat(this, sign);
    }
}
