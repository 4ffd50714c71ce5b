using Banyan.Cpu;

namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>Fills with normal random numbers of mean 0, drawn from (seed, stream) by the element's index.</summary>
    public void FillNormal(double std, long seed, uint stream = 0)
    {
        CheckDenseFloat();
        RandomFill.Normal(this, std, (ulong)seed, stream);
    }

    /// <summary>Fills with uniform random numbers over (-bound, bound), drawn from (seed, stream) by the element's index.</summary>
    public void FillUniform(double bound, long seed, uint stream = 0)
    {
        CheckDenseFloat();
        RandomFill.Uniform(this, bound, (ulong)seed, stream);
    }

    /// <summary>Makes the gradient of a leaf count from zero again; its memory is kept and overwritten by the next gradient.</summary>
    public void ZeroGrad() => Body.GradIsStale = Body.Grad is not null;

    /// <summary>True when a gradient has arrived since the last <see cref="ZeroGrad"/>.</summary>
    public bool HasGrad => Body is { Grad: not null, GradIsStale: false };

    private void CheckDenseFloat()
    {
        CheckWritable();
        if (DType != DType.Float32 || !IsContiguous)
        {
            throw new InvalidOperationException($"random numbers fill dense float32 tensors; this is {this}");
        }
    }
}
