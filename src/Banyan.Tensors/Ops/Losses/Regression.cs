namespace Banyan;

// Losses of numbers; d = input - target.
public static partial class Loss
{
    /// <summary>d^2.</summary>
    public static Tensor Mse(Tensor input, Tensor target, Reduction reduction = Reduction.Mean)
    {
        Tensor d = input - target;
        return Reduce(d * d, reduction);
    }

    /// <summary>|d|.</summary>
    public static Tensor L1(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) => Reduce((input - target).Abs(), reduction);

    /// <summary>d^2 / 2 where |d| is at most delta, else delta (|d| - delta / 2).</summary>
    public static Tensor Huber(Tensor input, Tensor target, double delta = 1, Reduction reduction = Reduction.Mean)
    {
        Tensor d = input - target, size = d.Abs();
        return Reduce(Tensor.Where(size <= delta, d * d * 0.5, (size - 0.5 * delta) * delta), reduction);
    }

    /// <summary>d^2 / (2 beta) where |d| is less than beta, else |d| - beta / 2.</summary>
    public static Tensor SmoothL1(Tensor input, Tensor target, double beta = 1, Reduction reduction = Reduction.Mean)
    {
        Tensor d = input - target, size = d.Abs();
        // beta 0 is the absolute error; the quadratic branch is then never taken, but must not divide by 0.
        return Reduce(Tensor.Where(size < beta, d * d * (0.5 / Math.Max(beta, double.Epsilon)), size - 0.5 * beta), reduction);
    }

    /// <summary>Negative log likelihood of counts: e^x - t x; x - t log(x + eps) for rates instead of their logarithms.</summary>
    /// <param name="input">The logarithm of the rate, or the rate.</param>
    /// <param name="target">Counts.</param>
    /// <param name="logInput">The input holds logarithms. Default: true.</param>
    /// <param name="full">Adds Stirling's approximation of log t! where t exceeds 1. Default: false.</param>
    /// <param name="eps">Default: 1e-8.</param>
    /// <param name="reduction">Mean divides by the number of elements.</param>
    public static Tensor PoissonNll(
        Tensor input, Tensor target, bool logInput = true, bool full = false, double eps = 1e-8, Reduction reduction = Reduction.Mean)
    {
        Tensor loss = logInput ? input.Exp() - target * input : input - target * (input + eps).Log();
        if (full)
        {
            Tensor t = target.Clamp(min: 1);
            Tensor stirling = t * t.Log() - t + (t * (2 * Math.PI)).Log() * 0.5;
            loss = loss + stirling.MaskedFill(target <= 1, 0);
        }
        return Reduce(loss, reduction);
    }

    /// <summary>Negative log likelihood of a normal distribution: (log v + d^2 / v) / 2, v = max(variance, eps).</summary>
    /// <param name="input">Means.</param>
    /// <param name="target">Observations.</param>
    /// <param name="variance">Variances, broadcast.</param>
    /// <param name="full">Adds log(2 pi) / 2. Default: false.</param>
    /// <param name="eps">The least variance. Default: 1e-6.</param>
    /// <param name="reduction">Mean divides by the number of elements.</param>
    public static Tensor GaussianNll(
        Tensor input, Tensor target, Tensor variance, bool full = false, double eps = 1e-6, Reduction reduction = Reduction.Mean)
    {
        Tensor v = variance.Clamp(min: eps), d = input - target;
        Tensor loss = (v.Log() + d * d / v) * 0.5;
        return Reduce(full ? loss + 0.5 * Math.Log(2 * Math.PI) : loss, reduction);
    }
}
