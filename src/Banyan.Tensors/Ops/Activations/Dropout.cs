using Banyan.Cpu;

namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// Sets each element to 0 with probability <paramref name="p"/> and divides the rest by 1 - p (Srivastava et al. 2014). Element i draws
    /// number i of the stream (seed, stream, sample): the same mask for any thread count, and again when activations are recomputed.
    /// </summary>
    /// <param name="p">Probability in [0, 1); 0 returns the tensor itself.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="stream">Which layer.</param>
    /// <param name="sample">Which step.</param>
    public Tensor Dropout(double p, long seed, uint stream, long sample)
    {
        if (p is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(p), p, "dropout: the probability must be in [0, 1)");
        }
        if (p == 0)
        {
            return this;
        }
        Tensor mask = Allocate(this, Shape, DType.Float32);
        RandomFill.Mask(mask, p, (ulong)seed, stream, (ulong)sample);
        return this * mask.To(DType);
    }
}
