using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>The 2-norm of all gradients together, and clipping by it (Pascanu et al. 2013).</summary>
public static class GradientNorm
{
    /// <summary>The norm over every parameter that has a gradient; NaN or infinite when a gradient is.</summary>
    public static double Of(IEnumerable<Parameter> parameters)
    {
        double sum = 0;
        foreach (Parameter p in parameters)
        {
            if (p.Value.HasGrad)
            {
                sum += SquaredNorm.Of(p.Grad!);
            }
        }
        return Math.Sqrt(sum);
    }

    /// <summary>
    /// The factor that brings a norm to at most <paramref name="maxNorm"/>: min(1, max / (norm + 1e-6)). Give it to
    /// <see cref="Optimizer.Step"/>: the gradients themselves need no pass.
    /// </summary>
    public static double ClipFactor(double norm, double maxNorm) => maxNorm > 0 ? Math.Min(1, maxNorm / (norm + 1e-6)) : 1;
}
