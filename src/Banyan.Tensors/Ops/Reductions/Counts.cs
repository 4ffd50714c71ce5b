using Banyan.Cpu;

namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>How often each of 0, 1, ... occurs in this one-dimensional integer tensor: int64, at least <paramref name="minLength"/> counts.</summary>
    public Tensor BinCount(long minLength = 0)
    {
        Tensor x = Elementwise.Convert(this, DType.Int64).Reshape(Count);
        long length = Math.Max(minLength, Count == 0 ? 0 : checked((long)x.Max().Item() + 1));
        return Allocate(this, [length], DType.Int64).Filled(0).ScatterAdd(0, x, Allocate(this, [Count], DType.Int64).Filled(1));
    }

    /// <summary>How many elements fall into each of <paramref name="bins"/> equal bins of [min, max], in this tensor's type. Others do not count.</summary>
    public Tensor Histc(long bins, double min, double max)
    {
        Tensor x = Detach().Reshape(Count);
        Tensor inside = ((x >= min) & (x <= max)).To(DType);
        Tensor bin = ((x - min) * (bins / (max - min))).Floor().MaskedFill(inside.Eq(0), 0).Clamp(0, bins - 1).To(DType.Int64);
        return Allocate(this, [bins]).Filled(0).ScatterAdd(0, bin, inside);
    }

    internal Tensor Filled(double value)
    {
        Fill(value);
        return this;
    }
}
