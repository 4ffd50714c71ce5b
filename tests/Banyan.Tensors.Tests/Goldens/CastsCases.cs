using System.Text.Json;
using Banyan.Cpu;

namespace Banyan.Tensors.Tests.Goldens;

internal static class CastsCases
{
    public static void Register(OpTable t)
    {
        Float8(t, "e4m3fn", DType.Float8E4M3FN);
        Float8(t, "e5m2", DType.Float8E5M2);
        Float8(t, "e4m3fnuz", DType.Float8E4M3FNUZ);
        Float8(t, "e5m2fnuz", DType.Float8E5M2FNUZ);
        Float8(t, "e8m0fnu", DType.Float8E8M0FNU);
        t.Many("to_e4m3fn_saturated", c => BitsAndValue(c.X.Clamp(-448, 448).To(DType.Float8E4M3FN), DType.UInt8));
        HalfTypes(t);
        Integers(t);
        t.Many("promote_types", c =>
        {
            foreach (JsonProperty p in c.Args.GetProperty("table").EnumerateObject())
            {
                DType[] types = [.. p.Name.Split('+').Select(Named)];
                Assert.True(Promotion.Of(types[0], types[1]) == Named(p.Value.GetString()!), p.Name);
            }
            return [];
        });
    }

    private static void Float8(OpTable t, string name, DType type)
    {
        t.Many("to_" + name, c => BitsAndValue(c.X.To(type), DType.UInt8));
        t["from_" + name] = c => c["b"].ViewAs(type).To(DType.Float32);
    }

    private static void HalfTypes(OpTable t)
    {
        t.Many("to_bf16", c => HalfBitsAndValue(c.X.To(DType.BFloat16), nan: 0xFFFF));
        t.Many("to_fp16", c => HalfBitsAndValue(c.X.To(DType.Float16), nan: null));
        t["from_fp16"] = c => FromBits(c["b"], DType.Float16).To(DType.Float32);
        t["from_bf16"] = c => FromBits(c["b"], DType.BFloat16).To(DType.Float32);
        t["bf16_to_fp16"] = c => Bits(FromBits(c["b"], DType.BFloat16).To(DType.Float16));
        t["sr_bf16"] = c => Bits(c.X.ToBFloat16Stochastic(c["r"]));
        t.Many("bf16_matmul", c =>
        {
            Tensor y = c.X.To(DType.BFloat16).MatMul(c.Y.To(DType.BFloat16)).To(DType.Float32);
            return [y, y];
        });
        t["bf16_sum"] = c => c.X.To(DType.BFloat16).Sum().To(DType.Float32);
        t["bf16_add"] = c => (c.X.To(DType.BFloat16) + c.Y.To(DType.BFloat16)).To(DType.Float32);
        t["bf16_softmax"] = c => c.X.To(DType.BFloat16).Softmax(-1).To(DType.Float32);
        t["bf16_layer_norm"] = c => c.X.To(DType.BFloat16).LayerNorm().To(DType.Float32);
    }

    private static void Integers(OpTable t)
    {
        t["to_int32"] = c => c.X.To(DType.Int32);
        t["to_int64"] = c => c.X.To(DType.Int64);
        t["to_int8_wrap"] = c => c.X.To(DType.Int8).To(DType.Int32);
        t["to_uint8"] = c => c.X.To(DType.UInt8);
        t["to_bool"] = c => c.X.To(DType.Bool);
        t["int_to_float"] = c => c.X.To(DType.Float32);
        t["f64_to_f32"] = c => c.X.To(DType.Float32);
    }

    private static DType Named(string name) => DType.All.Single(t => t.Name == name);

    private static Tensor[] BitsAndValue(Tensor y, DType bits) => [y.ViewAs(bits), y.To(DType.Float32)];

    // The payload of NaN is free: it counts as the reference's.
    private static Tensor[] HalfBitsAndValue(Tensor y, int? nan)
    {
        Tensor value = y.To(DType.Float32), bits = Bits(y);
        return [nan is { } payload ? bits.MaskedFill(value.IsNaN(), payload) : bits, value];
    }

    private static Tensor Bits(Tensor half)
    {
        Tensor bits = half.ViewAs(DType.Int16).To(DType.Int32);
        return bits & bits.Number(0xFFFF);
    }

    private static Tensor FromBits(Tensor bits, DType type) => bits.To(DType.Int16).ViewAs(type);
}
