using Banyan.Cpu;

namespace Banyan;

// The bits of elements. No gradient.
public sealed partial class Tensor
{
    /// <summary>A view of the same bytes as elements of another type of the same width (PyTorch's view(dtype)).</summary>
    /// <exception cref="ArgumentException">The types differ in width.</exception>
    public Tensor ViewAs(DType dtype) => dtype.BlockBytes == DType.BlockBytes
        ? AsView(Shape, Strides, Body.Offset, dtype)
        : throw new ArgumentException($"view: elements of {DType} have {DType.BlockBytes} bytes, of {dtype} {dtype.BlockBytes}");

    /// <summary>
    /// Rounds float32 to bfloat16 up or down, with the probability of the distance: the mean of the results is the number. For weights in bfloat16
    /// whose updates would be rounded away.
    /// </summary>
    /// <param name="random">16 random bits for each element: int32 of the same shape, in [0, 65536).</param>
    public Tensor ToBFloat16Stochastic(Tensor random)
    {
        if (DType != DType.Float32 || random.DType != DType.Int32 || random.Shape != Shape)
        {
            throw new ArgumentException($"stochastic rounding: float32 and int32 of one shape are needed, given {this} and {random}");
        }
        // (bits + random) >> 16, in int64 so that nothing wraps; NaN and infinity have no neighbours to choose from.
        Tensor bits = Detach().ViewAs(DType.Int32);
        Tensor rounded = ((bits.To(DType.Int64) + random) >> bits.Number(16)).To(DType.Int16).ViewAs(DType.BFloat16);
        return Where(IsFinite(), rounded, Detach().To(DType.BFloat16));
    }
}
