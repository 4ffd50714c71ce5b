namespace Banyan;

// Losses that ask for a margin. Targets t are 1 and -1 unless said otherwise.
public static partial class Loss
{
    /// <summary>log(1 + e^(-t x)).</summary>
    public static Tensor SoftMargin(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
        Reduce((-(target * input)).Softplus(), reduction);

    /// <summary>max(0, 1 - t x).</summary>
    public static Tensor Hinge(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
        Reduce((1 - target * input).Relu(), reduction);

    /// <summary>max(0, margin - t (x1 - x2)): x1 should rank higher where t is 1.</summary>
    public static Tensor MarginRanking(Tensor x1, Tensor x2, Tensor target, double margin = 0, Reduction reduction = Reduction.Mean) =>
        Reduce((margin - target * (x1 - x2)).Relu(), reduction);

    /// <summary>x where t is 1, max(0, margin - x) where t is -1.</summary>
    public static Tensor HingeEmbedding(Tensor input, Tensor target, double margin = 1, Reduction reduction = Reduction.Mean) =>
        Reduce(Tensor.Where(target > 0, input, (margin - input).Relu()), reduction);

    /// <summary>1 - cos(x1, x2) where t is 1, max(0, cos - margin) where t is -1; per row.</summary>
    /// <param name="x1">(N, D).</param>
    /// <param name="x2">(N, D).</param>
    /// <param name="target">(N).</param>
    /// <param name="margin">Default: 0.</param>
    /// <param name="reduction">Mean divides by the number of rows.</param>
    public static Tensor CosineEmbedding(Tensor x1, Tensor x2, Tensor target, double margin = 0, Reduction reduction = Reduction.Mean)
    {
        const double Eps = 1e-12;
        Tensor lengths = ((x1 * x1).Sum(-1) + Eps) * ((x2 * x2).Sum(-1) + Eps);
        Tensor cosine = (x1 * x2).Sum(-1) * lengths.Rsqrt();
        return Reduce(Tensor.Where(target > 0, 1 - cosine, (cosine - margin).Relu()), reduction);
    }

    /// <summary>max(0, |anchor - positive| - |anchor - negative| + margin) with Euclidean distances of rows.</summary>
    /// <param name="anchor">(N, D).</param>
    /// <param name="positive">(N, D).</param>
    /// <param name="negative">(N, D).</param>
    /// <param name="margin">Default: 1.</param>
    /// <param name="eps">Added to every difference, so that no distance is 0. Default: 1e-6.</param>
    /// <param name="reduction">Mean divides by the number of rows.</param>
    public static Tensor TripletMargin(
        Tensor anchor, Tensor positive, Tensor negative, double margin = 1, double eps = 1e-6, Reduction reduction = Reduction.Mean)
    {
        Tensor near = anchor - positive + eps, far = anchor - negative + eps;
        return Reduce(((near * near).Sum(-1).Sqrt() - (far * far).Sum(-1).Sqrt() + margin).Relu(), reduction);
    }

    /// <summary>The mean over classes j other than t of max(0, margin - x[t] + x[j]) (divided by all C classes).</summary>
    /// <param name="input">Scores (N, C).</param>
    /// <param name="target">Class numbers (N).</param>
    /// <param name="margin">Default: 1; positive.</param>
    /// <param name="reduction">Mean divides by the number of rows.</param>
    public static Tensor MultiMargin(Tensor input, Tensor target, double margin = 1, Reduction reduction = Reduction.Mean)
    {
        Ops.ClassTargets.Check("multi_margin", input, target, null);
        Tensor terms = (input - input.Gather(-1, target.Reshape(-1, 1)) + margin).Relu();
        // The target's own term is the margin, with no gradient.
        return Reduce((terms.Sum(-1) - Math.Max(margin, 0)) / input.Shape[1], reduction);
    }
}
