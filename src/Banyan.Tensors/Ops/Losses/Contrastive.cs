namespace Banyan;

// Losses of pairs of embeddings: row i of one side belongs to row i of the other, all other rows are negatives.
public static partial class Loss
{
    /// <summary>
    /// CLIP's loss (Radford et al. 2021): the mean of the cross entropies of s and of s^T with the diagonal as targets, s = e^logitScale *
    /// cosines.
    /// </summary>
    /// <param name="a">(N, D).</param>
    /// <param name="b">(N, D).</param>
    /// <param name="logitScale">0-d, the logarithm of the inverse temperature.</param>
    public static Tensor Clip(Tensor a, Tensor b, Tensor logitScale)
    {
        Tensor s = UnitRows(a).MatMul(UnitRows(b).Transpose(0, 1)) * logitScale.Exp();
        return (DiagonalCrossEntropy(s) + DiagonalCrossEntropy(s.Transpose(0, 1))) / 2;
    }

    /// <summary>
    /// SigLIP's loss (Zhai et al. 2023): -mean over rows of the sum of log sigmoid(l (e^logitScale cos(a, b) + bias)), l = 1 on the diagonal,
    /// else -1.
    /// </summary>
    /// <param name="a">(N, D).</param>
    /// <param name="b">(N, D).</param>
    /// <param name="logitScale">0-d, the logarithm of the inverse temperature.</param>
    /// <param name="bias">0-d.</param>
    public static Tensor Siglip(Tensor a, Tensor b, Tensor logitScale, Tensor bias)
    {
        Tensor logits = UnitRows(a).MatMul(UnitRows(b).Transpose(0, 1)) * logitScale.Exp() + bias;
        Tensor labels = Identity(logits) * 2 - 1;
        return (-(logits * labels)).Softplus().Sum(-1).Mean();
    }

    /// <summary>
    /// InfoNCE (van den Oord et al. 2018) with hard negatives: the cross entropy of the cosines [a b^T, a negatives^T] / temperature with the
    /// diagonal as targets.
    /// </summary>
    /// <param name="a">(N, D).</param>
    /// <param name="b">(N, D).</param>
    /// <param name="negatives">(M, D), more negatives for every row, or null.</param>
    /// <param name="temperature">Default: 0.07.</param>
    public static Tensor InfoNce(Tensor a, Tensor b, Tensor? negatives = null, double temperature = 0.07)
    {
        Tensor others = negatives is null ? b : Tensor.Cat([b, negatives]);
        return DiagonalCrossEntropy(UnitRows(a).MatMul(UnitRows(others).Transpose(0, 1)) / temperature);
    }

    /// <summary>SimCLR's loss (Chen et al. 2020): each of the 2 N views finds its partner among all other views by cosine.</summary>
    /// <param name="a">(N, D): the first views.</param>
    /// <param name="b">(N, D): the second views.</param>
    /// <param name="temperature">Default: 0.5.</param>
    public static Tensor NtXent(Tensor a, Tensor b, double temperature = 0.5)
    {
        int n = (int)a.Shape[0];
        Tensor views = UnitRows(Tensor.Cat([a, b]));
        Tensor s = views.MatMul(views.Transpose(0, 1)) / temperature;
        Tensor partners = Tensor.Cat([s.Diagonal(n), s.Diagonal(-n)]);
        Tensor others = s.MaskedFill(Identity(s) > 0, double.NegativeInfinity);
        return (others.LogSumExp(-1) - partners).Mean();
    }

    private static Tensor DiagonalCrossEntropy(Tensor logits) => (logits.LogSumExp(-1) - logits.Diagonal()).Mean();

    private static Tensor UnitRows(Tensor x) => x / (x * x).Sum(-1, keepDim: true).Sqrt().Clamp(min: 1e-12);

    private static Tensor Identity(Tensor square)
    {
        Tensor ones = Tensor.Allocate(square, [square.Shape[0]]);
        ones.Fill(1);
        return Ops.DiagonalPad.Apply(ones, square.Shape, 0, 0, 1);
    }
}
