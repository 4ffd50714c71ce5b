namespace Banyan;

// Questions about single elements: bool tensors without gradient.
public sealed partial class Tensor
{
    /// <summary>Where the elements are NaN.</summary>
    public Tensor IsNaN() => Ne(this);

    /// <summary>Where the elements are infinite.</summary>
    public Tensor IsInf() => Detach().Abs().Eq(double.PositiveInfinity);

    /// <summary>Where the elements are neither infinite nor NaN.</summary>
    public Tensor IsFinite() => DType.IsFloat ? Detach().Abs() < double.PositiveInfinity : Eq(this);

    /// <summary>Where the sign bit is set: of -0 too.</summary>
    public Tensor SignBit() => DType.IsFloat ? Number(1).CopySign(Detach()) < 0 : this < 0;

    /// <summary>Where |this - b| is at most atol + rtol |b|, or both are equal.</summary>
    /// <param name="b">Broadcast.</param>
    /// <param name="rtol">Tolerance relative to b.</param>
    /// <param name="atol">Absolute tolerance.</param>
    /// <param name="equalNan">True takes NaN as equal to NaN.</param>
    public Tensor IsClose(Tensor b, double rtol = 1e-5, double atol = 1e-8, bool equalNan = false)
    {
        Tensor x = Detach(), y = b.Detach();
        Tensor near = (x - y).Abs() <= y.Abs() * rtol + atol;
        Tensor close = x.Eq(y) | (near & x.IsFinite() & y.IsFinite());
        return equalNan ? close | (x.IsNaN() & y.IsNaN()) : close;
    }

    /// <summary>
    /// NaN and the infinities replaced by numbers; no gradient flows where something was replaced.
    /// </summary>
    /// <param name="nan">For NaN.</param>
    /// <param name="posInf">For +inf; null: the largest number of the type.</param>
    /// <param name="negInf">For -inf; null: the smallest number of the type.</param>
    public Tensor NanToNum(double nan = 0, double? posInf = null, double? negInf = null)
    {
        double largest = DType == DType.Float64 ? double.MaxValue : DType == DType.Float16 ? 65504 : DType == DType.BFloat16 ? (float)new BFloat16(0x7F7F) : float.MaxValue;
        return MaskedFill(IsNaN(), nan).MaskedFill(Eq(double.PositiveInfinity), posInf ?? largest).MaskedFill(Eq(double.NegativeInfinity), negInf ?? -largest);
    }
}
