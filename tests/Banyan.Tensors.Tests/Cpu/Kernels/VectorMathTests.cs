using System.Runtime.Intrinsics;
using Banyan.Cpu;

namespace Banyan.Tensors.Tests.Cpu.Kernels;

/// <summary>Every elementary function against float64 over the whole range of float32, in units in the last place, and in every vector width.</summary>
public unsafe class VectorMathTests
{
    /// <summary><paramref name="IsProduct"/>: x times a factor that vanishes on the left.</summary>
    private sealed record Function(Func<double, double> Exact, Map Map, double Ulps, bool IsProduct = false)
    {
        // Where the factor is subnormal, it has an absolute error of half of the smallest number, which x magnifies.
        public double Allowed(float x) => IsProduct && Math.Abs(Exact(x)) < Math.Abs(x) * 1.17549435e-38 ? Math.Max(Ulps, -x) : Ulps;
    }

    private delegate void Map(int width, float[] x, float[] y);

    private static readonly Dictionary<string, Function> s_functions = new()
    {
        ["exp"] = new(Math.Exp, Run<Exp>, 1),
        ["expm1"] = new(Reference.Expm1, Run<Ops.Expm1>, 2),
        ["log"] = new(Math.Log, Run<Ops.Log>, 1),
        ["log1p"] = new(Reference.Log1p, Run<Ops.Log1p>, 2),
        ["tanh"] = new(Math.Tanh, Run<Ops.Tanh>, 2),
        ["sigmoid"] = new(Reference.Sigmoid, Run<Ops.Sigmoid>, 2.5),
        ["softplus"] = new(Reference.Softplus, Run<Ops.Softplus>, 2),
        ["erf"] = new(Reference.Erf, Run<Ops.Erf>, 2),
        ["sin"] = new(Math.Sin, Run<Ops.Sin>, 2),
        ["cos"] = new(Math.Cos, Run<Ops.Cos>, 2),
        ["sqrt"] = new(Math.Sqrt, Run<Ops.Sqrt>, 0.5),
        ["rsqrt"] = new(x => 1 / Math.Sqrt(x), Run<Ops.Rsqrt>, 1.5),
        // The argument of the inner function is rounded: far out on the left, where the value vanishes, that costs digits.
        ["gelu"] = new(Reference.GeluErf, Run<Ops.Gelu>, 6, IsProduct: true),
        ["gelu_tanh"] = new(Reference.GeluTanh, Run<Ops.GeluTanh>, 200, IsProduct: true),
        ["quick_gelu"] = new(x => Reference.Swish(x, 1.702), Run<Ops.QuickGelu>, 200, IsProduct: true),
        ["silu"] = new(x => Reference.Swish(x, 1), Run<Ops.Silu>, 3, IsProduct: true),
        ["mish"] = new(Reference.Mish, Run<Ops.Mish>, 4, IsProduct: true),
    };

    public static TheoryData<string> Names => [.. s_functions.Keys];

    [Theory, MemberData(nameof(Names))]
    public void StaysWithinItsUlpsOverEveryExponent(string name)
    {
        Function function = s_functions[name];
        float[] x = SampledInputs(300), y = new float[x.Length];
        function.Map(Isa.Width, x, y);
        for (int i = 0; i < x.Length; i++)
        {
            double error = Ulps.Between(y[i], function.Exact(x[i]));
            Assert.True(error <= function.Allowed(x[i]), $"{name}: {error:F3} ulp at {x[i]:R}, allowed {function.Allowed(x[i])}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void GivesTheSameBitsInEveryWidth(string name)
    {
        float[] x = SampledInputs(10);
        float[] expected = new float[x.Length], y = new float[x.Length];
        s_functions[name].Map(1, x, expected);
        foreach (int width in (int[])[4, 8, 16])
        {
            s_functions[name].Map(width, x, y);
            for (int i = 0; i < x.Length; i++)
            {
                Assert.True(Bits(expected[i]) == Bits(y[i]), $"{name}({x[i]:R}): {y[i]:R} with {width} lanes, {expected[i]:R} with one");
            }
        }
    }

    // A NaN's payload is free.
    private static uint Bits(float x) => float.IsNaN(x) ? 0x7FC00000 : BitConverter.SingleToUInt32Bits(x);

    [Theory]
    [InlineData("exp", float.NegativeInfinity, 0f)]
    [InlineData("exp", 89f, float.PositiveInfinity)]
    [InlineData("exp", -104f, 0f)]
    [InlineData("exp", -100f, 3.783506e-44f)]
    [InlineData("expm1", float.NegativeInfinity, -1f)]
    [InlineData("expm1", -0f, -0f)]
    [InlineData("log", 0f, float.NegativeInfinity)]
    [InlineData("log", -1f, float.NaN)]
    [InlineData("log", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("log1p", -1f, float.NegativeInfinity)]
    [InlineData("log1p", -0f, -0f)]
    [InlineData("log1p", -2f, float.NaN)]
    [InlineData("tanh", -0f, -0f)]
    [InlineData("tanh", float.NegativeInfinity, -1f)]
    [InlineData("sigmoid", float.NegativeInfinity, 0f)]
    [InlineData("erf", -0f, -0f)]
    [InlineData("erf", float.NegativeInfinity, -1f)]
    [InlineData("sin", -0f, -0f)]
    [InlineData("sin", float.PositiveInfinity, float.NaN)]
    [InlineData("cos", float.NegativeInfinity, float.NaN)]
    [InlineData("sqrt", -0f, -0f)]
    [InlineData("sqrt", -1f, float.NaN)]
    [InlineData("rsqrt", 0f, float.PositiveInfinity)]
    [InlineData("rsqrt", float.PositiveInfinity, 0f)]
    public void TreatsEdgesAsC(string name, float x, float expected)
    {
        var y = new float[1];
        s_functions[name].Map(Isa.Width, [x], y);
        Assert.True(Bits(expected) == Bits(y[0]), $"{name}({x}) = {y[0]:R}, expected {expected:R}");
    }

    [Fact]
    public void PowAgreesWithFloat64Everywhere()
    {
        float[] edges = [0f, -0f, 1f, -1f, 2f, 3f, -3f, 0.5f, -0.5f, 1e30f, 1e-30f, 1e-42f, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        Tensor x = Tensor.From(edges, [edges.Length, 1]), p = Tensor.From(edges, [1, edges.Length]);
        Assert.Equal([.. edges.SelectMany(a => edges.Select(b => (float)Math.Pow(a, b)))], x.Pow(p).ToArray<float>());
    }

    /// <summary>Both signs of every exponent with random mantissas, a dense band around zero, and the special values.</summary>
    private static float[] SampledInputs(int perExponent)
    {
        Random random = new(7);
        List<float> x = [0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, float.MaxValue, float.MinValue];
        for (uint exponent = 0; exponent < 255; exponent++)
        {
            for (int i = 0; i < perExponent; i++)
            {
                uint bits = (exponent << 23) | (uint)random.Next(1 << 23);
                x.Add(BitConverter.UInt32BitsToSingle(bits));
                x.Add(BitConverter.UInt32BitsToSingle(bits | 0x80000000));
            }
        }
        for (int i = 0; i < 200 * perExponent; i++)
        {
            x.Add((random.NextSingle() - 0.5f) * 4);
            x.Add((random.NextSingle() - 0.5f) * 220);
        }
        return [.. x];
    }

    // The operation exp reuses its result and has no function of its own.
    private readonly struct Exp : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => VectorMath.Exp<S, V>(x);

        public static double Apply(double x) => Math.Exp(x);
    }

    private static void Run<F>(int width, float[] x, float[] y) where F : struct, IUnary
    {
        Action<float[], float[]> run = width switch
        {
            16 => Apply<F, Simd512, Vector512<float>>,
            8 => Apply<F, Simd256, Vector256<float>>,
            4 => Apply<F, Simd128, Vector128<float>>,
            _ => Apply<F, SimdScalar, float>,
        };
        run(x, y);
    }

    private static void Apply<F, S, V>(float[] x, float[] y) where F : struct, IUnary where S : struct, ISimd<V> where V : struct
    {
        fixed (float* px = x, py = y)
        {
            int i = 0;
            for (; i <= x.Length - S.Width; i += S.Width)
            {
                S.Store(py + i, F.Apply<S, V>(S.Load(px + i)));
            }
            for (; i < x.Length; i++)
            {
                py[i] = F.Apply<SimdScalar, float>(px[i]);
            }
        }
    }
}
