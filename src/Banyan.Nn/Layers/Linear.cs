namespace Banyan.Nn;

/// <summary>y = x W^T + b. Parameters: <c>weight</c> (out, in), <c>bias</c> (out).</summary>
public class Linear : Module
{
    private readonly bool _transposed;

    /// <summary>A linear layer.</summary>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="bias">Whether there is a bias. Default: true.</param>
    /// <param name="transposed">True stores the weight (in, out), as GPT-2's Conv1D does. Default: false.</param>
    /// <param name="initializer">Of the weight. Default: uniform over 1 / sqrt(in), as PyTorch's.</param>
    /// <param name="biasInitializer">Default: zeros where the weight has an initializer, else as the weight.</param>
    public Linear(long inFeatures, long outFeatures, bool bias = true, bool transposed = false, Initializer? initializer = null, Initializer? biasInitializer = null)
    {
        _transposed = transposed;
        InFeatures = inFeatures;
        OutFeatures = outFeatures;
        double bound = 1 / Math.Sqrt(Math.Max(inFeatures, 1));
        Weight = Add("weight", transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures], initializer ?? Initializer.Uniform(bound), acceptsBlocks: !transposed);
        Bias = bias ? Add("bias", [outFeatures], biasInitializer ?? (initializer is null ? Initializer.Uniform(bound) : Initializer.Zeros)) : null;
    }

    /// <summary>Width of the input.</summary>
    public long InFeatures { get; }

    /// <summary>Width of the output.</summary>
    public long OutFeatures { get; }

    /// <summary>(out, in), or (in, out) when transposed.</summary>
    public Parameter Weight { get; }

    /// <summary>(out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>x (..., in) to (..., out).</summary>
    public virtual Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, Ops.Linear.Apply(x, Weight, Bias?.Value, _transposed));
}
