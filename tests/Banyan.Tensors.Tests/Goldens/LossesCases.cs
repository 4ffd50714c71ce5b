namespace Banyan.Tensors.Tests.Goldens;

internal static class LossesCases
{
    private const string F = "torch.nn.functional.";

    public static void Register(OpTable t)
    {
        CrossEntropies(t);
        Probabilities(t);
        Numbers(t);
        Margins(t);
        Pairs(t);
        Others(t);
    }

    private static Reduction Of(OpCase c) => c.Text("reduction", "mean") switch
    {
        "none" => Reduction.None,
        "sum" => Reduction.Sum,
        "batchmean" => Reduction.BatchMean,
        _ => Reduction.Mean,
    };

    private static void CrossEntropies(OpTable t)
    {
        t["cross_entropy"] = CrossEntropy;
        t[F + "cross_entropy"] = CrossEntropy;
        t["cross_entropy.causal_shift"] = c =>
        {
            long length = c.X.Shape[1] - 1, classes = c.X.Shape[2];
            return Loss.CrossEntropy(c.X.Slice(1, 0, length).Reshape(-1, classes), c["t"].Slice(1, 1, length).Reshape(-1));
        };
        t["z_loss"] = c => Loss.CrossEntropy(c.X, c["t"], zLoss: c.Double("z"));
        t["softcap_ce"] = c => Loss.CrossEntropy(c.X.Softcap(c.Double("cap")), c["t"]);
        t["nll"] = c => Loss.Nll(c.X, c["t"], c.Optional("weight"), reduction: Of(c));
        t[F + "nll_loss"] = c => Loss.Nll(c.X, c["t"], reduction: Of(c));
    }

    private static Tensor CrossEntropy(OpCase c) => Loss.CrossEntropy(
        c.X, c["t"], c.Optional("weight"), c.Int("ignore_index", -100), c.Double("label_smoothing", 0), reduction: Of(c));

    private static void Probabilities(OpTable t)
    {
        t[F + "kl_div"] = c => Loss.KlDiv(c.X, c["t"], c.Bool("log_target"), Of(c));
        t[F + "binary_cross_entropy"] = c => Loss.BinaryCrossEntropy(c.X, c["t"], reduction: Of(c));
        t[F + "binary_cross_entropy_with_logits"] = BceWithLogits;
        t["bce_logits"] = BceWithLogits;
        t[F + "multilabel_soft_margin_loss"] = c => Loss.MultilabelSoftMargin(c.X, c["t"]);
        t["entropy"] = c => Loss.Entropy(c.X);
    }

    private static Tensor BceWithLogits(OpCase c) =>
        Loss.BinaryCrossEntropyWithLogits(c.X, c["t"], c.Optional("weight"), c.Optional("pw"), Of(c));

    private static void Numbers(OpTable t)
    {
        t[F + "mse_loss"] = c => Loss.Mse(c.X, c["t"], Of(c));
        t[F + "l1_loss"] = c => Loss.L1(c.X, c["t"], Of(c));
        t[F + "huber_loss"] = c => Loss.Huber(c.X, c["t"], c.Double("delta"), Of(c));
        t[F + "smooth_l1_loss"] = c => Loss.SmoothL1(c.X, c["t"], c.Double("beta"), Of(c));
        t[F + "poisson_nll_loss"] = c => Loss.PoissonNll(c.X, c["t"], reduction: Of(c));
        t[F + "gaussian_nll_loss"] = c => Loss.GaussianNll(c.X, c["t"], c["var"], c.Bool("full"), reduction: Of(c));
    }

    private static void Margins(OpTable t)
    {
        t[F + "soft_margin_loss"] = c => Loss.SoftMargin(c.X, c["t"], Of(c));
        t["hinge"] = c => Loss.Hinge(c.X, c["t"]);
        t[F + "margin_ranking_loss"] = c => Loss.MarginRanking(c["x1"], c["x2"], c["t"], c.Double("margin"), Of(c));
        t[F + "hinge_embedding_loss"] = c => Loss.HingeEmbedding(c.X, c["t"], c.Double("margin"), Of(c));
        t["triplet"] = c => Loss.TripletMargin(c["anchor"], c["positive"], c["negative"], c.Double("margin"), c.Double("eps"), Of(c));
        t[F + "cosine_embedding_loss"] = c => Loss.CosineEmbedding(c["x1"], c["x2"], c["t"], c.Double("margin"), Of(c));
        t[F + "multi_margin_loss"] = c => Loss.MultiMargin(c.X, c["t"], c.Double("margin"), Of(c));
    }

    private static void Pairs(OpTable t)
    {
        t["infonce"] = c => Loss.Clip(c["a"], c["b"], c["logit_scale"]);
        t["infonce.negatives"] = c => Loss.InfoNce(c["a"], c["b"], c["neg"], c.Double("temperature"));
        t["siglip"] = c => Loss.Siglip(c["a"], c["b"], c["scale"], c["bias"]);
        t["nt_xent"] = c => Loss.NtXent(c["a"], c["b"]);
    }

    private static void Others(OpTable t)
    {
        t["focal.binary"] = c => Loss.SigmoidFocal(c.X, c["t"], c.Double("alpha"), c.Double("gamma"));
        t["focal.multiclass"] = c => Loss.Focal(c.X, c["t"], c.Double("gamma"));
        t["dice"] = c => Loss.Dice(c.X, c["t"]);
        t["distill"] = c => Loss.Distillation(c["s"], c["teacher"], c["t"], c.Double("alpha"), c.Double("temperature"));
        t["moe_aux"] = c => Loss.SwitchBalance(c.X);
        t["ctc"] = c => Loss.Ctc(c.X.LogSoftmax(-1), c["t"], c["il"], c["tl"], c.Int("blank"), c.Bool("zero_infinity"), Of(c));
    }
}
