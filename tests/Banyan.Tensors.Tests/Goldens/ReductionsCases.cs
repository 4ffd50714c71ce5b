namespace Banyan.Tensors.Tests.Goldens;

internal static class ReductionsCases
{
    public static void Register(OpTable t)
    {
        Sums(t);
        Extremes(t);
        Norms(t);
        t["torch.cumsum"] = c => c.X.CumSum(c.Int("dim"));
        t["torch.cumprod"] = c => c.X.CumProd(c.Int("dim"));
        t["torch.logcumsumexp"] = c => c.X.LogCumSumExp(c.Int("dim"));
        t["torch.quantile"] = c => c.X.Quantile(c["q"], c.Int("dim"));
        t["torch.histc"] = c => c.X.Histc(c.Int("bins"), c.Double("min"), c.Double("max"));
        t["torch.bincount"] = c => c.X.BinCount(c.Int("minlength"));
    }

    private static void Sums(OpTable t)
    {
        t["torch.sum"] = c => c.HasArg("dim") ? c.X.Sum(Dims(c), Keep(c)) : c.X.Sum();
        t["torch.mean"] = c => c.HasArg("dim") ? c.X.Mean(Dims(c), Keep(c)) : c.X.Mean();
        t["torch.nansum"] = c => c.X.NanSum(Dims(c)[0]);
        t["torch.prod"] = c => c.HasArg("dim") ? c.X.Prod(c.Int("dim")) : c.X.Prod();
        t["torch.logsumexp"] = c => c.X.LogSumExp(Dims(c), Keep(c));
        t["torch.var"] = c => c.HasArg("dim") ? c.X.Var(Dims(c), c.Double("correction", 1), Keep(c)) : c.X.Var();
        t["torch.std"] = c => c.HasArg("dim") ? c.X.Std(Dims(c), c.Double("correction", 1), Keep(c)) : c.X.Std();
        t.Many("torch.var_mean", c => Both(c.X.VarMean(Dims(c), c.Double("correction"))));
        t["torch.any"] = c => c.X.Any();
        t["torch.all"] = c => c.X.All();
        t["torch.count_nonzero"] = c => c.X.CountNonzero(c.Int("dim"));
    }

    private static void Extremes(OpTable t)
    {
        t["torch.amax"] = c => c.X.AMax(Dims(c), Keep(c));
        t["torch.amin"] = c => c.X.AMin(Dims(c), Keep(c));
        t.Many("torch.max", c => c.HasArg("dim") ? Both(c.X.Max(c.Int("dim"))) : [c.X.Max()]);
        t.Many("torch.min", c => c.HasArg("dim") ? Both(c.X.Min(c.Int("dim"))) : [c.X.Min()]);
        t.Many("torch.median", c => c.HasArg("dim") ? Both(c.X.Median(c.Int("dim"))) : [c.X.Median()]);
        t["torch.argmax"] = c => c.HasArg("dim") ? c.X.ArgMax(c.Int("dim"), Keep(c)) : c.X.ArgMax();
        t["torch.argmin"] = c => c.HasArg("dim") ? c.X.ArgMin(c.Int("dim"), Keep(c)) : c.X.ArgMin();
        t.Many("torch.cummax", c => Both(c.X.CumMax(c.Int("dim"))));
        t.Many("torch.cummin", c => Both(c.X.CumMin(c.Int("dim"))));
    }

    private static void Norms(OpTable t)
    {
        t["torch.linalg.vector_norm"] = c =>
            c.HasArg("dim") ? c.X.VectorNorm(Dims(c), c.Double("ord", 2), Keep(c)) : c.X.VectorNorm(c.Double("ord", 2));
        t["norm.fro"] = c => c.X.FrobeniusNorm();
        t["norm.nuc"] = c => Linalg.NuclearNorm(c.X);
        t["norm.spectral"] = c => Linalg.SpectralNorm(c.X);
        t["torch.nn.functional.cosine_similarity"] = c => c.X.CosineSimilarity(c.Y, c.Int("dim"), c.Double("eps"));
        t["torch.nn.functional.normalize"] = c => c.X.Normalize(c.Double("p"), c.Int("dim"), c.Double("eps"));
        t["torch.nn.functional.pairwise_distance"] = c => c.X.PairwiseDistance(c.Y, c.Double("p"), c.Double("eps"));
        t["torch.cdist"] = c => c.X.CDist(c.Y, c.Double("p"));
    }

    private static int[] Dims(OpCase c) => [.. c.Ints("dim").Select(d => (int)d)];

    private static bool Keep(OpCase c) => c.Bool("keepdim");

    private static Tensor[] Both((Tensor, Tensor) pair) => [pair.Item1, pair.Item2];
}
