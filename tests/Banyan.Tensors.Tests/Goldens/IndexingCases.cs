namespace Banyan.Tensors.Tests.Goldens;

internal static class IndexingCases
{
    public static void Register(OpTable t)
    {
        Orders(t);
        Lists(t);
        Scatters(t);
        Masks(t);
        Sets(t);
        Embeddings(t);
    }

    private static void Orders(OpTable t)
    {
        t.Many("torch.sort", c => Both(c.X.Sort(c.Int("dim"), c.Bool("descending"))));
        t["torch.argsort"] = c => c.X.ArgSort(c.Int("dim"), c.Bool("descending"));
        t.Many("torch.topk", c => Both(c.X.TopK(c.Int("k"), c.Int("dim"), c.Bool("largest", true))));
        t.Many("torch.kthvalue", c => Both(c.X.KthValue(c.Int("k"), c.Int("dim"))));
        t["torch.searchsorted"] = c => c["s"].SearchSorted(c["v"], c.Bool("right"));
        t["torch.bucketize"] = c => c["v"].Bucketize(c["b"]);
    }

    private static void Lists(OpTable t)
    {
        t["index_select"] = c => c.X.IndexSelect(c.Int("dim"), c["i"]);
        t["index_add"] = c => c.X.IndexAdd(c.Int("dim"), c["i"], c["s"], c.Double("alpha"));
        t["index_copy"] = c => c.X.IndexCopy(c.Int("dim"), c["i"], c["s"]);
        t["index_fill"] = c => c.X.IndexFill(c.Int("dim"), c["i"], c.Double("value"));
        t["index"] = c => c.X.Index(c["i"], c.Optional("j"));
        t["index.negative_wrap"] = c => c.X.Index(c["i"]);
        t["index.split_lists"] = c => c.X.Index(c["i"], null, c["j"]);
        t["index_put"] = c => c.X.IndexPut([c["i"], c["j"]], c["v"], accumulate: true);
        t["slice"] = c => c.X.Slice(0, 1, 4).Slice(1, 0, 2, 2);
        t["torch.take"] = c => c.X.Take(c["i"]);
    }

    private static void Scatters(OpTable t)
    {
        t["gather"] = c => c.X.Gather(c.Int("dim"), c["i"]);
        t["take_along"] = c => c.X.TakeAlongDim(c["i"], c.Int("dim"));
        t["scatter"] = c => c.X.Scatter(c.Int("dim"), c["i"], c["s"]);
        t["scatter_value"] = c => c.X.Scatter(c.Int("dim"), c["i"], c.Double("value"));
        t["scatter_add"] = c => c.X.ScatterAdd(c.Int("dim"), c["i"], c["s"]);
        t["scatter_reduce"] = c => c.X.ScatterReduce(
            c.Int("dim"), c["i"], c["s"], Enum.Parse<ScatterReduction>(c.Text("reduce"), ignoreCase: true), c.Bool("include_self"));
    }

    private static void Masks(OpTable t)
    {
        t["masked_fill"] = c => c.X.MaskedFill(c["m"], c.Double("value", double.NegativeInfinity));
        t["torch.masked_select"] = c => c.X.MaskedSelect(c["m"]);
        t["torch.masked_scatter"] = c => c.X.MaskedScatter(c["m"], c["s"]);
        t["torch.nonzero"] = c => c.X.Nonzero();
        t["torch.nn.functional.one_hot"] = c => c["i"].OneHot(c.Int("num_classes"));
    }

    private static void Sets(OpTable t)
    {
        t.Many("torch.unique", c => All(c.HasArg("dim") ? c.X.Unique(c.Int("dim")) : c.X.Unique()));
        t.Many("torch.unique_consecutive", c => All(c.X.UniqueConsecutive()));
        t["torch.isin"] = c => c.X.IsIn(c.Y);
    }

    private static void Embeddings(OpTable t)
    {
        t["torch.nn.functional.embedding"] = c => c["w"].Embedding(c["i"], c.HasArg("padding_idx") ? c.Int("padding_idx") : null, c.Bool("scale_grad_by_freq"));
        t["embedding.max_norm"] = c => c["w"].Clone().EmbeddingRenorm(c["i"], 1).Embedding(c["i"]);
        t["torch.nn.functional.embedding_bag"] = c => c["w"].EmbeddingBag(c["i"], mode: Enum.Parse<EmbeddingBagMode>(c.Text("mode"), ignoreCase: true));
        t["embedding_bag"] = c => c["w"].EmbeddingBag(c["i"], c["o"], EmbeddingBagMode.Sum);
    }

    private static Tensor[] Both((Tensor, Tensor) pair) => [pair.Item1, pair.Item2];

    private static Tensor[] All(UniqueElements u) => [u.Values, u.Inverse, u.Counts];
}
