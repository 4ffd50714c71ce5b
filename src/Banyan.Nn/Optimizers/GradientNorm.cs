using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>The norm of all gradients together, and clipping by it (Pascanu et al. 2013, arXiv:1211.5063).</summary>
public static class GradientNorm
{
    /// <summary>The norm over every parameter that has a gradient; NaN or infinite when a gradient is, or when the sum of powers exceeds float32's range.</summary>
    /// <param name="parameters">Those without a gradient count as zero.</param>
    /// <param name="p">Which norm: 2, 1, any positive number, or infinity (the largest element). Default: 2.</param>
    public static double Of(IEnumerable<Parameter> parameters, double p = 2)
    {
        double sum = 0;
        foreach (Parameter parameter in parameters)
        {
            if (parameter.Value.HasGrad)
            {
                Tensor g = parameter.Grad!;
                sum = double.IsPositiveInfinity(p) ? Math.Max(sum, GradientSums.Largest(g))
                    : sum + (p == 2 ? GradientSums.OfSquares(g) : GradientSums.OfPowers(g, p));
            }
        }
        if (sum > float.MaxValue)
        {
            return double.PositiveInfinity;   // gradients this large are as broken as infinite ones; PyTorch's float32 sum overflows too
        }
        return p == 2 ? Math.Sqrt(sum) : double.IsPositiveInfinity(p) ? sum : Math.Pow(sum, 1 / p);
    }

    /// <summary>
    /// The factor that brings a norm to at most <paramref name="maxNorm"/>: min(1, max / (norm + 1e-6)). Give it to
    /// <see cref="Optimizer.Step"/>: the gradients themselves need no pass. A NaN norm gives NaN, an infinite one 0.
    /// </summary>
    /// <param name="norm">The norm of all gradients.</param>
    /// <param name="maxNorm">0 or less: no clipping.</param>
    public static double ClipFactor(double norm, double maxNorm) => maxNorm > 0 ? Math.Min(1, maxNorm / (norm + 1e-6)) : 1;

    /// <summary>
    /// Scales the gradients in place to a norm of at most <paramref name="maxNorm"/>, and returns the norm before: PyTorch's
    /// <c>clip_grad_norm_</c>. Training loops save the pass with <see cref="ClipFactor"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The norm is not finite and <paramref name="errorIfNonFinite"/> is set.</exception>
    public static double Clip(IReadOnlyCollection<Parameter> parameters, double maxNorm, double p = 2, bool errorIfNonFinite = false)
    {
        double norm = Of(parameters, p);
        if (errorIfNonFinite && !double.IsFinite(norm))
        {
            throw new InvalidOperationException($"the norm of the gradients is {norm}: a gradient is not finite; skip the step, or lower the loss scale");
        }
        Tensor factor = Tensor.Scalar(ClipFactor(norm, maxNorm));
        foreach (Parameter parameter in parameters)
        {
            if (parameter.Value.HasGrad)
            {
                parameter.Grad!.MulInPlace(factor);
            }
        }
        return norm;
    }

    /// <summary>Limits every element of every gradient to [-limit, limit], in place: PyTorch's <c>clip_grad_value_</c>.</summary>
    public static void ClipValue(IEnumerable<Parameter> parameters, double limit)
    {
        foreach (Parameter parameter in parameters)
        {
            if (parameter.Value.HasGrad)
            {
                parameter.Grad!.CopyFrom(parameter.Grad!.Clamp(-limit, limit));
            }
        }
    }
}
