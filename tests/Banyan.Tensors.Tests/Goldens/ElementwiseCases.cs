namespace Banyan.Tensors.Tests.Goldens;

internal static class ElementwiseCases
{
    public static void Register(OpTable t)
    {
        Arithmetic(t);
        Functions(t);
        Comparisons(t);
        t["where.nan_trap"] = c => Tensor.Where(c.X > 0, c.X.Log(), c.X * 0);
        t["torch.where"] = c => Tensor.Where(c["c"], c["x"], c["y"]);
        t["clamp.tensor"] = c => c.X.Clamp(c["lo"], c["hi"]);
        t["torch.clamp"] = c => c.X.Clamp(c.HasArg("min") ? c.Double("min") : null, c.HasArg("max") ? c.Double("max") : null);
        t["torch.nan_to_num"] = c => c.X.NanToNum(c.Double("nan"), c.Double("posinf"));
        t.Many("logspace_linspace", c =>
            [Tensor.Linspace(-1, 2, 7), Tensor.Logspace(-2, 1, 5), Tensor.Arange(0.5, 3.2, 0.3), Tensor.Linspace(3, 5, 1)]);
    }

    private static void Arithmetic(OpTable t)
    {
        t["torch.add"] = c => c.X.Add(c.Y, c.Double("alpha", 1));
        t["torch.sub"] = c => c.X.Sub(c.Y, c.Double("alpha", 1));
        t["torch.mul"] = c => c.X * c.Y;
        t["torch.div"] = c => c.Text("rounding_mode") switch
        {
            "floor" => c.X.FloorDivide(c.Y),
            "trunc" => c.X.TruncDivide(c.Y),
            _ => c.X / c.Y,
        };
        t["torch.floor_divide"] = c => c.X.FloorDivide(c.Y);
        t["torch.maximum"] = c => Tensor.Maximum(c.X, c.Y);
        t["torch.minimum"] = c => Tensor.Minimum(c.X, c.Y);
        t["torch.fmax"] = c => Tensor.FMax(c.X, c.Y);
        t["torch.fmin"] = c => Tensor.FMin(c.X, c.Y);
        t["torch.fmod"] = c => c.X.Fmod(c.Y);
        t["torch.remainder"] = c => c.X.Remainder(c.Y);
        t["torch.atan2"] = c => c.X.Atan2(c.Y);
        t["torch.hypot"] = c => c.X.Hypot(c.Y);
        t["torch.copysign"] = c => c.X.CopySign(c.Y);
        t["torch.logaddexp"] = c => Tensor.LogAddExp(c.X, c.Y);
        t["torch.special.xlogy"] = c => Tensor.Xlogy(c.X, c.Y);
        t["torch.addcmul"] = c => c.X.AddCMul(c["t1"], c["t2"], c.Double("value"));
        t["torch.addcdiv"] = c => c.X.AddCDiv(c["t1"], c["t2"], c.Double("value"));
        t["torch.lerp"] = c => c.X.Lerp(c["end"], c["weight"]);
        t["torch.pow"] = c => c.HasArg("exponent") ? c.X.Pow(c.Double("exponent")) : c.X.Pow(c.Y);
        t["pow"] = c => Tensor.Pow(c.Double("base"), c.X);
    }

    private static void Functions(OpTable t)
    {
        t["torch.exp"] = c => c.X.Exp();
        t["torch.exp2"] = c => c.X.Exp2();
        t["torch.expm1"] = c => c.X.Expm1();
        t["torch.log"] = c => c.X.Log();
        t["torch.log2"] = c => c.X.Log2();
        t["torch.log10"] = c => c.X.Log10();
        t["torch.log1p"] = c => c.X.Log1p();
        t["torch.sqrt"] = c => c.X.Sqrt();
        t["torch.rsqrt"] = c => c.X.Rsqrt();
        t["torch.abs"] = c => c.X.Abs();
        t["torch.neg"] = c => -c.X;
        t["torch.positive"] = c => c.X;
        t["torch.reciprocal"] = c => c.X.Reciprocal();
        t["torch.square"] = c => c.X.Square();
        t["torch.sin"] = c => c.X.Sin();
        t["torch.cos"] = c => c.X.Cos();
        t["torch.tan"] = c => c.X.Tan();
        t["torch.asin"] = c => c.X.Asin();
        t["torch.acos"] = c => c.X.Acos();
        t["torch.atan"] = c => c.X.Atan();
        t["torch.sinh"] = c => c.X.Sinh();
        t["torch.cosh"] = c => c.X.Cosh();
        t["torch.tanh"] = c => c.X.Tanh();
        t["torch.asinh"] = c => c.X.Asinh();
        t["torch.acosh"] = c => c.X.Acosh();
        t["torch.atanh"] = c => c.X.Atanh();
        t["torch.erf"] = c => c.X.Erf();
        t["torch.erfc"] = c => c.X.Erfc();
        t["torch.erfinv"] = c => c.X.ErfInv();
        t["torch.sigmoid"] = c => c.X.Sigmoid();
        t["torch.nn.functional.logsigmoid"] = c => c.X.LogSigmoid();
        t["torch.logit"] = c => c.X.Logit();
        t["torch.sinc"] = c => c.X.Sinc();
        t["torch.lgamma"] = c => c.X.Lgamma();
        t["torch.digamma"] = c => c.X.Digamma();
        t["torch.sign"] = c => c.X.Sign();
        t["torch.floor"] = c => c.X.Floor();
        t["torch.ceil"] = c => c.X.Ceil();
        t["torch.trunc"] = c => c.X.Trunc();
        t["torch.frac"] = c => c.X.Frac();
        t["torch.round"] = c => c.HasArg("decimals") ? c.X.Round(c.Int("decimals")) : c.X.Round();
    }

    private static void Comparisons(OpTable t)
    {
        t["torch.eq"] = c => c.X.Eq(c.Y);
        t["torch.ne"] = c => c.X.Ne(c.Y);
        t["torch.lt"] = c => c.X < c.Y;
        t["torch.le"] = c => c.X <= c.Y;
        t["torch.gt"] = c => c.X > c.Y;
        t["torch.ge"] = c => c.X >= c.Y;
        t["torch.isclose"] = c => c.X.IsClose(c.Y, c.Double("rtol"), c.Double("atol"));
        t["torch.isnan"] = c => c.X.IsNaN();
        t["torch.isinf"] = c => c.X.IsInf();
        t["torch.isfinite"] = c => c.X.IsFinite();
        t["torch.signbit"] = c => c.X.SignBit();
        t["torch.logical_and"] = c => c.X.LogicalAnd(c.Y);
        t["torch.logical_or"] = c => c.X.LogicalOr(c.Y);
        t["torch.logical_xor"] = c => c.X.LogicalXor(c.Y);
        t["torch.logical_not"] = c => c.X.LogicalNot();
        t["torch.bitwise_and"] = c => c.X & c.Y;
        t["torch.bitwise_or"] = c => c.X | c.Y;
        t["torch.bitwise_xor"] = c => c.X ^ c.Y;
        t["torch.bitwise_not"] = c => ~c.X;
        t["torch.bitwise_left_shift"] = c => c.X << c.Y;
        t["torch.bitwise_right_shift"] = c => c.X >> c.Y;
    }
}
