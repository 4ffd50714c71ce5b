using System.Text.Json;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>Runs the layer of a golden case.</summary>
internal static class LayerTable
{
    private const double Layer = 1e-5, Stack = 1e-4;

    /// <summary>The tolerance of the outputs, or null where the case is pending.</summary>
    public static double? Run(LayerCase c) => c.Name switch
    {
        _ when AttentionTable.Run(c) is { } tolerance => tolerance,
        _ when SequenceTable.Run(c) is { } tolerance => tolerance,
        _ when NetworkTable.Run(c) is { } tolerance => tolerance,
        "weight_norm_linear" => One(c, c.Load(new WeightNormLinear(5, 4)).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("conv", StringComparison.Ordinal) => Convolution(c),
        _ when c.Name.StartsWith("batchnorm", StringComparison.Ordinal) => BatchNorm(c),
        _ when c.Name.Contains("norm") && !c.Name.Contains("layer_") => Norm(c),
        _ when c.Name.StartsWith("mha", StringComparison.Ordinal) => Attention(c),
        _ when c.Name.StartsWith("transformer", StringComparison.Ordinal) || c.Name.Contains("coder_layer") => Transformer(c),
        _ when c.Name.StartsWith("rnn", StringComparison.Ordinal) || c.Name.StartsWith("lstm", StringComparison.Ordinal) || c.Name.StartsWith("gru", StringComparison.Ordinal) => Recurrence(c),
        _ when c.Name.StartsWith("embedding", StringComparison.Ordinal) => Embeddings(c),
        "bilinear" => One(c, c.Load(new Bilinear(4, 3, 5)).Forward(c.In("a"), c.In("b"), c.Pass)),
        _ => WithoutParameters(c),
    };

    private static double? One(LayerCase c, Tensor y, string name = "y")
    {
        c.Out(name, y);
        return Layer;
    }

    private static Shape Sizes(JsonElement e, string name) => !e.TryGetProperty(name, out JsonElement v) || v.ValueKind == JsonValueKind.String ? default(Shape)
        : v.ValueKind == JsonValueKind.Array ? v.EnumerateArray().Select(n => n.GetInt64()).ToArray() : [v.GetInt64()];

    private static double? Convolution(LayerCase c)
    {
        JsonElement p = c.Parameters;
        long[] weight = c.WeightShape("weight");
        var options = new ConvOptions
        {
            Stride = Sizes(p, "stride"), Padding = Sizes(p, "padding"), Dilation = Sizes(p, "dilation"), OutputPadding = Sizes(p, "output_padding"),
            Groups = (int)p.Long("groups", 1), Bias = p.Bool("bias", true), Same = p.Text("padding", "") == "same",
            PaddingMode = Enum.Parse<PadMode>(p.Text("padding_mode", "constant"), ignoreCase: true),
        };
        long inChannels = p.Long("in_channels", 0), outChannels = p.Long("out_channels", 0);
        return One(c, c.Name.StartsWith("convt", StringComparison.Ordinal)
            ? c.Load(new ConvTranspose(inChannels, outChannels, weight[2..], options)).Forward(c.In("x"), c.Pass)
            : c.Load(new Conv(inChannels, outChannels, weight[2..], options)).Forward(c.In("x"), c.Pass));
    }

    private static double? BatchNorm(LayerCase c)
    {
        if (c.Name == "batchnorm2d_cumulative")
        {
            BatchNorm norm = c.Load(new BatchNorm(6, momentum: null, affine: false));
            for (int i = 0; i < 3; i++)
            {
                c.Out($"y{i}", norm.Forward(c.In($"x{i}"), c.Pass));
            }
            return Layer;
        }
        return One(c, c.Load(new BatchNorm(6, c.Parameters.Double("eps", 1e-5), c.Parameters.Double("momentum", 0.1))).Forward(c.In("x"), c.Pass));
    }

    private static double? Norm(LayerCase c)
    {
        double eps = c.Number("eps", 0);
        return c.Name switch
        {
            "groupnorm" or "groupnorm_1d" => One(c, c.Load(new GroupNorm(c.Name == "groupnorm" ? 2 : 3, 6, eps)).Forward(c.In("x"), c.Pass)),
            "instancenorm1d_plain" or "instancenorm2d" or "instancenorm2d_track" => One(c, c.Load(new InstanceNorm(
                6, eps, c.Number("momentum", 0), c.Reference.Contains("affine=True"), c.Reference.Contains("track_running_stats=True"))).Forward(c.In("x"), c.Pass)),
            "layernorm" or "layernorm_2axes_eps" or "layernorm_no_bias" => One(c, c.Load(new LayerNorm((Shape)c.WeightShape("weight"), eps, c.Has("w.bias"))).Forward(c.In("x"), c.Pass)),
            "rmsnorm" => One(c, c.Load(new RmsNorm(6, eps)).Forward(c.In("x"), c.Pass)),
            "rmsnorm_default_eps" => One(c, c.Load(new RmsNorm(6, Math.Pow(2, -23))).Forward(c.In("x"), c.Pass)),
            _ => null,
        };
    }

    private static double? Attention(LayerCase c)
    {
        JsonElement p = c.Parameters;
        MultiheadAttention attention = c.Load(new MultiheadAttention(p.Long("embed_dim", 0), (int)p.Long("num_heads", 1), new()
        {
            BatchFirst = p.Bool("batch_first"), Bias = p.Bool("bias", true), AddBiasKv = p.Bool("add_bias_kv"), AddZeroAttn = p.Bool("add_zero_attn"),
            KDim = p.Long("kdim", -1) is var k && k > 0 ? k : null, VDim = p.Long("vdim", -1) is var v && v > 0 ? v : null,
        }));
        Tensor query = c.TryIn("x") ?? c.In("q"), key = c.TryIn("x") is not null ? query : c.TryIn("kv") ?? c.In("k"), value = c.TryIn("v") ?? key;
        (Tensor y, Tensor weights) = attention.Forward(query, key, value, c.Pass, c.TryIn("key_padding_mask"), c.TryIn("attn_mask"), averageWeights: c.Name != "mha_self_heads");
        c.Out("weights", weights);
        return One(c, y);
    }

    private static double? Transformer(LayerCase c)
    {
        JsonElement p = c.Parameters;
        long width = p.Long("d_model", 0);
        int heads = (int)p.Long("nhead", 1);
        var options = new TransformerOptions
        {
            Dropout = 0, DimFeedforward = p.Long("dim_feedforward", 0), Gelu = p.Text("activation", "relu") == "gelu", BatchFirst = p.Bool("batch_first"),
            NormFirst = p.Bool("norm_first"), Bias = p.Bool("bias", true), LayerNormEps = p.Double("layer_norm_eps", 1e-5),
        };
        switch (c.Name)
        {
            case "decoder_layer":
                c.Out("y", c.Load(new TransformerDecoderLayer(width, heads, options)).Forward(c.In("tgt"), c.In("memory"), c.Pass));
                break;
            case "encoder_layer_relu" or "encoder_layer_gelu_prenorm":
                c.Out("y", c.Load(new TransformerEncoderLayer(width, heads, options)).Forward(c.In("src"), c.Pass, c.TryIn("src_mask")));
                break;
            default:
                Transformer model = c.Load(new Transformer(width, heads, (int)p.Long("num_encoder_layers", 0), (int)p.Long("num_decoder_layers", 0), options));
                Tensor? padding = c.TryIn("src_key_padding_mask");
                c.Out("y", model.Forward(c.In("src"), c.In("tgt"), c.Pass, targetMask: c.TryIn("tgt_mask"), sourceKeyPaddingMask: padding, memoryKeyPaddingMask: padding));
                break;
        }
        return Stack;
    }

    private static double? Recurrence(LayerCase c)
    {
        JsonElement p = c.Parameters;
        long input = p.Long("input_size", 0), hidden = p.Long("hidden_size", 0);
        var options = new RecurrentOptions
        {
            NumLayers = (int)p.Long("num_layers", 1), Bias = p.Bool("bias", true), BatchFirst = p.Bool("batch_first"), Bidirectional = p.Bool("bidirectional"), ProjSize = p.Long("proj_size", 0),
        };
        bool relu = p.Text("nonlinearity", "tanh") == "relu";
        Tensor x = c.In("x");
        Tensor? c0 = null;
        (Tensor Output, Tensor H) result;
        switch (c.Name.Split('_')[0])
        {
            case "rnncell": return One(c, c.Load(new RnnCell(input, hidden)).Forward(x, c.In("h"), c.Pass), "h");
            case "grucell": return One(c, c.Load(new GruCell(input, hidden)).Forward(x, c.In("h"), c.Pass), "h");
            case "lstmcell":
                (Tensor h, Tensor cell) = c.Load(new LstmCell(input, hidden)).Forward(x, c.In("h"), c.In("c"), c.Pass);
                c.Out("c", cell);
                return One(c, h, "h");
            case "lstm":
                (result.Output, result.H, c0) = c.Load(new Lstm(input, hidden, options)).Forward(x, c.Pass, c.In("h0"), c.In("c0"), c.Lengths);
                c.Out("c", c0);
                break;
            case "gru": result = c.Load(new Gru(input, hidden, options)).Forward(x, c.Pass, c.In("h0"), c.Lengths); break;
            default: result = c.Load(new Rnn(input, hidden, options, relu)).Forward(x, c.Pass, c.In("h0"), c.Lengths); break;
        }
        c.Out("y", result.Output);
        c.Out("h", result.H);
        return Stack;
    }

    private static double? Embeddings(LayerCase c)
    {
        if (c.Name.StartsWith("embedding_bag", StringComparison.Ordinal))
        {
            EmbeddingBagMode mode = c.Name.Contains("max") ? EmbeddingBagMode.Max : c.Name.Contains("mean") ? EmbeddingBagMode.Mean : EmbeddingBagMode.Sum;
            return One(c, c.Load(new EmbeddingBag(11, 5, mode)).Forward(c.In("ids"), c.In("offsets"), c.Pass, c.TryIn("weights")));
        }
        bool padding = c.Name == "embedding_padding";
        long[] shape = c.WeightShape("weight");
        return One(c, c.Load(new Embedding(shape[0], shape[1], paddingIdx: padding ? 2 : null, scaleGradByFreq: !padding)).Forward(c.In("ids"), c.Pass));
    }

    private static double? WithoutParameters(LayerCase c)
    {
        Tensor? x = c.Name.Contains("pool") || c.Name.StartsWith("adaptive_", StringComparison.Ordinal) || c.Name.StartsWith("upsample", StringComparison.Ordinal) || c.Name is "fold" or "unfold" or "pixel_shuffle" or "pixel_unshuffle" or "local_response" ? c.TryIn("x") : null;
        if (x is null)
        {
            return null;
        }
        Shape kernel = Spread(c.Argument("kernel_size"), x.Rank - 2), stride = c.Argument("stride"), padding = c.Argument("padding"), dilation = c.Argument("dilation");
        Tensor? y = c.Name switch
        {
            "maxpool2d_indices" => WithIndices(c, x),
            "lppool2d" => x.LpPool(2, kernel),
            "adaptive_max2d" => x.AdaptiveMaxPool(c.Argument("output_size")),
            "upsample_nearest" => x.Interpolate(Scaled(c, x)),
            "upsample_bilinear" => x.Interpolate(Scaled(c, x), InterpolationMode.Linear),
            _ when c.Name.StartsWith("maxpool", StringComparison.Ordinal) => x.MaxPool(kernel, stride, padding, dilation, c.Reference.Contains("ceil_mode=True")),
            "avgpool2d_divisor" => x.AvgPool(kernel, stride, padding, divisorOverride: 3),
            _ when c.Name.StartsWith("avgpool", StringComparison.Ordinal) => x.AvgPool(kernel, stride, padding, c.Name == "avgpool2d_nopad", c.Name != "avgpool2d_nopad"),
            _ when c.Name.StartsWith("adaptive_avg", StringComparison.Ordinal) => x.AdaptiveAvgPool(Spread(c.Argument("output_size"), x.Rank - 2)),
            "fold" => x.Fold(c.Argument("output_size"), kernel.Rank == 2 ? kernel : c.Argument("kernel_size"), stride, padding, dilation),
            "unfold" => x.Unfold(kernel, stride, padding, dilation),
            "pixel_shuffle" => x.PixelShuffle(2),
            "pixel_unshuffle" => x.PixelUnshuffle(2),
            "local_response" => x.LocalResponseNorm(3, 0.3, 0.75, 2),
            _ => null,
        };
        return y is null ? null : One(c, y);
    }

    private static Tensor WithIndices(LayerCase c, Tensor x)
    {
        (Tensor y, Tensor indices) = x.MaxPoolWithIndices([2, 2]);
        c.Out("indices", indices);
        return y;
    }

    private static Shape Scaled(LayerCase c, Tensor x) => c.Argument("scale_factor") is [var factor] ? new Shape(x.Shape[-2] * factor, x.Shape[-1] * factor) : c.Argument("size");

    private static Shape Spread(long[] sizes, int n) => sizes.Length == 1 ? Enumerable.Repeat(sizes[0], n).ToArray() : sizes;
}
