namespace Banyan.Nn.Tests.Goldens;

/// <summary>Attention as a function, with and without softmax.</summary>
internal static class AttentionTable
{
    private const double Layer = 1e-5, Stack = 1e-4;

    /// <summary>The tolerance of the outputs, or null where the case is another table's.</summary>
    public static double? Run(LayerCase c) => c.Name switch
    {
        "sdpa_causal_rect" => Fused(c, new() { Causal = true }),
        "sdpa_gqa" => Fused(c, new()),
        "sdpa_scale_mask" => Fused(c, new() { Scale = c.Scale, Bias = c.In("mask") }),
        "attention_alibi" => Alibi(c),
        "attention_t5_bias_causal" => T5(c, bidirectional: false),
        "attention_t5_bias_bidirectional" => T5(c, bidirectional: true),
        "attention_local_causal" => Pattern(c, new() { Window = (int)c.Value("window") }),
        "attention_local_symmetric" => Pattern(c, new() { Left = (int)c.Value("window"), Right = (int)c.Value("window") }),
        "attention_sparse_strided" => Pattern(c, new() { Mask = SparseTransformer.Strided(12, (int)c.Value("stride")) }),
        "attention_sparse_fixed" => Pattern(c, new() { Mask = SparseTransformer.Fixed(12, (int)c.Value("stride"), (int)c.Value("c")) }),
        "attention_bigbird_pattern" => Pattern(c, new() { Mask = BigBird.Mask(12, (int)c.Value("block"), [.. c.Get("random_blocks").ToDoubles().Select(b => new[] { (int)b })]) }),
        "linear_attention_elu" => Linear(c),
        "linear_attention_elu_causal" => LinearCausal(c),
        "performer_softmax" or "performer_softmax_causal" => SoftmaxPerformer(c),
        "performer_relu" => ReluPerformer(c),
        "linformer" or "linformer_shared" => Linformer(c),
        "retention_core" => Retain(c),
        "retention_layer" => RetentionLayer(c),
        _ => null,
    };

    private static double? Fused(LayerCase c, AttentionOptions options)
    {
        c.Out("y", ScaledDotProductAttention.Apply(c.In("q"), c.In("k"), c.In("v"), options));
        return Layer;
    }

    // Besides the fused kernel the case has the weights: by the definition, with what the kernel was told written out.
    private static double? Pattern(LayerCase c, AttentionOptions options, Tensor? bias = null, double? scale = null)
    {
        Tensor q = c.In("q"), k = c.In("k");
        Tensor scores = q.MatMul(k.Transpose(-1, -2)) * (scale ?? 1 / Math.Sqrt(q.Shape[-1]));
        scores = bias is null ? scores : scores + bias;
        if (c.Has("allowed"))
        {
            Tensor allowed = c.Get("allowed");
            scores = scores.MaskedFill(allowed.Eq(0), double.NegativeInfinity);
            if (options.Mask is { } mask)
            {
                Assert.Equal(allowed.ToDoubles(), mask.ToDoubles());
            }
        }
        c.Out("weights", scores.Softmax(-1));
        options.Scale = scale;
        return Fused(c, options);
    }

    private static double? Alibi(LayerCase c)
    {
        Tensor slopes = RelativePositions.AlibiSlopes(4);
        Assert.Equal(c.Get("slopes").ToDoubles(), slopes.ToDoubles());
        Tensor future = Tensor.From([.. Enumerable.Range(0, 144).Select(i => i % 12 > i / 12 ? float.NegativeInfinity : 0)], [12, 12]);
        return Pattern(c, new() { AlibiSlopes = slopes, Causal = true }, Distances(slopes) + future);
    }

    // -slope |i - j| for each head.
    private static Tensor Distances(Tensor slopes) =>
        slopes.Reshape(4, 1, 1) * Tensor.From([.. Enumerable.Range(0, 144).Select(i => -(float)Math.Abs(i / 12 - i % 12))], [12, 12]);

    private static double? T5(LayerCase c, bool bidirectional)
    {
        var weights = c.Load(new Weights(c));
        Tensor table = RelativePositions.T5Table(weights.Use("relative_attention_bias", c.Pass), bidirectional, (int)c.Parameters.Long("max_distance", 0));
        double[] buckets = c.Get("buckets").ToDoubles();
        for (int i = 0; i < 144; i++)
        {
            Assert.Equal(buckets[i], RelativePositions.T5Bucket(i % 12 - i / 12, bidirectional, 8, 10));
        }
        Tensor bias = weights.Use("relative_attention_bias", c.Pass).Embedding(Tensor.From([.. buckets.Select(b => (long)b)], [12, 12])).Permute(2, 0, 1);
        Tensor future = Tensor.From([.. Enumerable.Range(0, 144).Select(i => !bidirectional && i % 12 > i / 12 ? float.NegativeInfinity : 0)], [12, 12]);
        return Pattern(c, new() { RelativeBias = table, Causal = !bidirectional }, bias + future, scale: 1);
    }

    private static double? Linear(LayerCase c)
    {
        c.Out("y", LinearAttention.Apply(LinearAttention.Features(c.In("q")), LinearAttention.Features(c.In("k")), c.In("v")));
        return Layer;
    }

    private static double? LinearCausal(LayerCase c)
    {
        (Tensor y, Tensor state) = LinearAttention.Causal(LinearAttention.Features(c.In("q")), LinearAttention.Features(c.In("k")), c.In("v"), chunk: 4);
        c.Out("y", y);
        c.Out("state", state.Slice(-1, 0, 6));
        c.Out("normaliser", state.Select(-1, 6));
        return Layer;
    }

    private static double? SoftmaxPerformer(LayerCase c)
    {
        Tensor projection = c.Get("projection");
        Tensor q = Performer.SoftmaxFeatures(c.In("q"), projection, isQuery: true), k = Performer.SoftmaxFeatures(c.In("k"), projection, isQuery: false);
        c.Out("q_features", q);
        c.Out("k_features", k);
        c.Out("y", c.Name == "performer_softmax" ? LinearAttention.Apply(q, k, c.In("v")) : LinearAttention.Causal(q, k, c.In("v"), eps: c.Value("eps"), chunk: 2).Output);
        return Layer;
    }

    private static double? ReluPerformer(LayerCase c)
    {
        Tensor projection = c.Get("projection");
        c.Out("y", LinearAttention.Apply(Performer.ReluFeatures(c.In("q"), projection, c.Value("kernel_epsilon")), Performer.ReluFeatures(c.In("k"), projection, c.Value("kernel_epsilon")), c.In("v")));
        return Layer;
    }

    private static double? Linformer(LayerCase c)
    {
        var p = c.Parameters;
        c.Out("y", c.Load(new LinformerSelfAttention(p.Long("dim", 0), p.Long("seq_len", 0), p.Long("k", 0), (int)p.Long("heads", 0), p.Bool("one_kv_head"), p.Bool("share_kv"))).Forward(c.In("x"), c.Pass));
        return Layer;
    }

    private static double? Retain(LayerCase c)
    {
        double[] gamma = c.Get("gamma").ToDoubles();
        Tensor q = c.In("q"), k = c.In("k") * c.Value("key_scale"), v = c.In("v");
        c.Out("y", Retention.Apply(q, k, v, gamma).Output);
        c.Out("recurrent", Retention.Apply(q, k, v, gamma, chunk: 1).Output);
        (Tensor chunked, Tensor state) = Retention.Apply(q, k, v, gamma, chunk: (int)c.Value("chunk"));
        c.Out("chunkwise", chunked);
        Assert.All(c.Get("final_state").ToDoubles().Zip(state.ToDoubles()), s => Assert.Equal(s.First, s.Second, 1e-5));
        return Layer;
    }

    private static double? RetentionLayer(LayerCase c)
    {
        var p = c.Parameters;
        var layer = c.Load(new MultiScaleRetention(p.Long("embed_dim", 0), p.Long("value_dim", 0), (int)p.Long("heads", 0), p.Double("group_norm_eps", 0)));
        Tensor x = c.In("x");
        c.Out("y", layer.Forward(x, c.Pass).Output);
        c.Out("recurrent", layer.Forward(x, c.Pass, chunk: 1).Output);
        c.Out("chunkwise", layer.Forward(x, c.Pass, chunk: (int)p.Long("chunk", 0)).Output);
        return Stack;
    }
}

/// <summary>The weights of a case that has no layer of its own, under their names.</summary>
internal sealed class Weights : Module
{
    private readonly Dictionary<string, Parameter> _all = [];

    public Weights(LayerCase c)
    {
        foreach (string name in c.WeightNames)
        {
            _all[name] = Add(name, (Shape)c.WeightShape(name), Initializer.Constant(0));
        }
    }

    public Tensor Use(string name, ForwardPass pass) => pass.Scope.Use(_all[name]);
}
