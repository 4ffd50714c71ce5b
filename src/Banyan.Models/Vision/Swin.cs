using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Swin (Liu et al. 2021, arXiv:2103.14030): attention within windows of a picture, which every second block shifts by half a window; between stages four neighbours become one token.
// B pictures, h x w tokens of width C, windows of n = w * w tokens.

/// <summary>Configuration of <see cref="Swin"/>, by the keys of <c>config.json</c>.</summary>
public sealed record SwinConfig
{
    /// <summary>Side of a picture. Default: 224.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Side of a patch. Default: 4.</summary>
    public int PatchSize { get; init; } = 4;

    /// <summary>Channels of a picture. Default: 3.</summary>
    public int NumChannels { get; init; } = 3;

    /// <summary>Width of the first stage; each further one doubles it. Default: 96.</summary>
    public int EmbedDim { get; init; } = 96;

    /// <summary>Blocks of each stage. Default: 2, 2, 6, 2.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [2, 2, 6, 2];

    /// <summary>Heads of each stage. Default: 3, 6, 12, 24.</summary>
    public IReadOnlyList<int> NumHeads { get; init; } = [3, 6, 12, 24];

    /// <summary>Side of a window. Default: 7.</summary>
    public int WindowSize { get; init; } = 7;

    /// <summary>Width of an MLP over its input's. Default: 4.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>Whether queries, keys and values have biases. Default: true.</summary>
    public bool QkvBias { get; init; } = true;

    /// <summary>Activation. Default: gelu.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Whether places are added to the patches too. Default: false.</summary>
    public bool UseAbsoluteEmbeddings { get; init; }

    /// <summary>Added to the variance in norms. Default: 1e-5.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>Dropout of what is added to the residual stream. Default: 0, in training only.</summary>
    public double HiddenDropoutProb { get; init; }

    /// <summary>Dropout of attention weights. Default: 0, in training only.</summary>
    public double AttentionProbsDropoutProb { get; init; }

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Width of the last stage.</summary>
    public int HiddenSize => EmbedDim << (Depths.Count - 1);

    /// <summary>Reads <c>config.json</c>.</summary>
    public static SwinConfig Read(ConfigReader c)
    {
        int[] depths = ConfigChecks.Sizes(c, "depths", [2, 2, 6, 2]), heads = ConfigChecks.Sizes(c, "num_heads", [3, 6, 12, 24]);
        int image = c.GetInt("image_size", 224, min: 1, max: 1 << 14), patch = c.GetInt("patch_size", 4, min: 1, max: image), width = c.GetInt("embed_dim", 96, min: 1, max: 1 << 16);
        ConfigChecks.Divides(c, "image_size", image, "patch_size", patch);
        if (depths.Length != heads.Length || depths.Length > 8)
        {
            throw new CheckpointException(c.Source, $"\"depths\" has {depths.Length} values and \"num_heads\" {heads.Length}; expected as many, and at most 8");
        }
        for (int i = 0; i < heads.Length; i++)
        {
            ConfigChecks.Divides(c, "embed_dim", width << i, "num_heads", heads[i]);
        }
        return new SwinConfig
        {
            ImageSize = image,
            PatchSize = patch,
            NumChannels = c.GetInt("num_channels", 3, min: 1, max: 1 << 12),
            EmbedDim = width,
            Depths = depths,
            NumHeads = heads,
            WindowSize = c.GetInt("window_size", 7, min: 1, max: 1 << 10),
            MlpRatio = c.GetDouble("mlp_ratio", 4, min: 0.01, max: 1000),
            QkvBias = c.GetBool("qkv_bias", true),
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, "gelu"),
            UseAbsoluteEmbeddings = c.GetBool("use_absolute_embeddings", false),
            LayerNormEps = c.GetDouble("layer_norm_eps", 1e-5, min: 0),
            HiddenDropoutProb = c.GetDouble("hidden_dropout_prob", 0, min: 0, max: 0.999),
            AttentionProbsDropoutProb = c.GetDouble("attention_probs_dropout_prob", 0, min: 0, max: 0.999),
            InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
        };
    }
}

/// <summary>Attention within windows, with a bias for each pair of places in a window.</summary>
public sealed class WindowAttention : Module
{
    private readonly int _heads, _window;
    private readonly Linear _q, _k, _v, _out;
    private readonly Parameter _bias;
    private readonly long[] _pairs;
    private readonly Dropout _attentionDrop, _drop;

    internal WindowAttention(SwinConfig c, int width, int heads)
    {
        (_heads, _window) = (heads, c.WindowSize);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _q = Add("self.query", new Linear(width, width, c.QkvBias, initializer: init));
        _k = Add("self.key", new Linear(width, width, c.QkvBias, initializer: init));
        _v = Add("self.value", new Linear(width, width, c.QkvBias, initializer: init));
        _bias = Add("self.relative_position_bias_table", [(2 * _window - 1) * (2 * _window - 1), heads], Initializer.Constant(0));
        _out = Add("output.dense", new Linear(width, width, initializer: init));
        (_attentionDrop, _drop) = (Add("self.dropout", new Dropout(c.AttentionProbsDropoutProb)), Add("output.dropout", new Dropout(c.HiddenDropoutProb)));
        _pairs = [.. from i in Enumerable.Range(0, _window * _window) from j in Enumerable.Range(0, _window * _window)
            select (long)((i / _window - j / _window + _window - 1) * (2 * _window - 1) + i % _window - j % _window + _window - 1)];
    }

    /// <summary>Windows (N, n, C); <paramref name="mask"/> (windows of one picture, n, n) keeps apart what a shift brought together.</summary>
    internal Tensor Forward(Tensor x, Tensor? mask, ForwardPass pass)
    {
        (long windows, long n, long width) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        Tensor Heads(Linear project) => project.Forward(x, pass).Reshape(windows, n, _heads, width / _heads).Transpose(1, 2);   // (N, H, n, D)
        Tensor bias = pass.Scope.Use(_bias).IndexSelect(0, pass.Scope.Use(Tensor.From(_pairs))).Reshape(n, n, _heads).Permute(2, 0, 1);
        Tensor scores = Heads(_q).MatMul(Heads(_k).Transpose(-1, -2)) / Math.Sqrt((double)width / _heads) + bias;
        if (mask is not null)
        {
            scores = (scores.Reshape(-1, mask.Shape[0], _heads, n, n) + mask.Reshape(1, -1, 1, n, n)).Reshape(windows, _heads, n, n);
        }
        Tensor o = _attentionDrop.Forward(scores.Softmax(-1), pass).MatMul(Heads(_v));
        return pass.Visit(this, _drop.Forward(_out.Forward(o.Transpose(1, 2).Reshape(windows, n, width), pass), pass));
    }
}

/// <summary>x + attention(norm(x)) within windows, perhaps shifted ones; then x + mlp(norm(x)).</summary>
public sealed class SwinBlock : Module
{
    private readonly int _window, _shift;
    private readonly LayerNorm _norm1, _norm2;
    private readonly WindowAttention _attention;
    private readonly Linear _up, _down;
    private readonly Dropout _drop;
    private readonly Func<Tensor, Tensor> _act;

    internal SwinBlock(SwinConfig c, int width, int heads, bool shifted)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        (_window, _shift) = (c.WindowSize, shifted ? c.WindowSize / 2 : 0);
        _norm1 = Add("layernorm_before", new LayerNorm(width, c.LayerNormEps));
        _attention = Add("attention", new WindowAttention(c, width, heads));
        _norm2 = Add("layernorm_after", new LayerNorm(width, c.LayerNormEps));
        _up = Add("intermediate.dense", new Linear(width, (int)(c.MlpRatio * width), initializer: init));
        _down = Add("output.dense", new Linear((int)(c.MlpRatio * width), width, initializer: init));
        _drop = Add("output.dropout", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <summary>(B, side * side, C).</summary>
    internal Tensor Forward(Tensor x, int side, ForwardPass pass)
    {
        (long pictures, long width) = (x.Shape[0], x.Shape[2]);
        int shift = side <= _window ? 0 : _shift, extra = (_window - side % _window) % _window, padded = side + extra;
        Tensor h = _norm1.Forward(x, pass).Reshape(pictures, side, side, width);
        h = extra == 0 ? h : h.Pad([0, 0, 0, extra, 0, extra]);
        h = shift == 0 ? h : h.Roll([-shift, -shift], [1, 2]);
        int across = padded / _window;
        h = h.Reshape(pictures, across, _window, across, _window, width).Permute(0, 1, 3, 2, 4, 5).Reshape(-1, _window * _window, width);
        h = _attention.Forward(h, shift == 0 ? null : pass.Scope.Use(Mask(padded, shift)), pass);
        h = h.Reshape(pictures, across, across, _window, _window, width).Permute(0, 1, 3, 2, 4, 5).Reshape(pictures, padded, padded, width);
        h = shift == 0 ? h : h.Roll([shift, shift], [1, 2]);
        h = extra == 0 ? h : h.Slice(1, 0, side).Slice(2, 0, side);
        x += h.Reshape(pictures, side * side, width);
        return pass.Visit(this, x + _drop.Forward(_down.Forward(_act(_up.Forward(_norm2.Forward(x, pass), pass)), pass), pass));
    }

    // A shift rolls one edge to the other: tokens of a window that were no neighbours before do not see each other.
    private Tensor Mask(int side, int shift)
    {
        int across = side / _window, n = _window * _window;
        int Region(int at) => at < side - _window ? 0 : at < side - shift ? 1 : 2;
        var mask = new float[across * across * n * n];
        for (int w = 0, at = 0; w < across * across; w++)
        {
            int[] regions = [.. Enumerable.Range(0, n).Select(i => 3 * Region(w / across * _window + i / _window) + Region(w % across * _window + i % _window))];
            foreach (int i in regions)
            {
                foreach (int j in regions)
                {
                    mask[at++] = i == j ? 0 : -100;
                }
            }
        }
        return Tensor.From(mask, [across * across, n, n]);
    }
}

/// <summary>Blocks at one resolution; all but the last stage halve it at their end.</summary>
public sealed class SwinStage : Module
{
    private readonly SwinBlock[] _blocks;
    private readonly LayerNorm? _norm;
    private readonly Linear? _merge;

    internal SwinStage(SwinConfig c, int index)
    {
        int width = c.EmbedDim << index;
        _blocks = [.. Enumerable.Range(0, c.Depths[index]).Select(i => Add($"blocks.{i}", new SwinBlock(c, width, c.NumHeads[index], i % 2 == 1)))];
        if (index < c.Depths.Count - 1)
        {
            _norm = Add("downsample.norm", new LayerNorm(4 * width, 1e-5));
            _merge = Add("downsample.reduction", new Linear(4 * width, 2 * width, bias: false, initializer: Initializer.Normal(c.InitializerRange)));
        }
    }

    internal (Tensor X, int Side) Forward(Tensor x, int side, ForwardPass pass)
    {
        x = _blocks.Aggregate(x, (h, block) => block.Forward(h, side, pass));
        if (_merge is not null)
        {
            Tensor grid = x.Reshape(x.Shape[0], side, side, -1);
            grid = side % 2 == 0 ? grid : grid.Pad([0, 0, 0, 1, 0, 1]);
            side = (side + 1) / 2;
            Tensor Part(int row, int column) => grid.Slice(1, row, side, 2).Slice(2, column, side, 2);
            grid = Tensor.Cat([Part(0, 0), Part(1, 0), Part(0, 1), Part(1, 1)], -1).Reshape(x.Shape[0], side * side, -1);
            x = _merge.Forward(_norm!.Forward(grid, pass), pass);
        }
        return (pass.Visit(this, x), side);
    }
}

/// <summary>Swin with a head for classes: <c>SwinForImageClassification</c>.</summary>
public sealed class Swin : Model
{
    private const string Base = "swin.";

    private readonly Patches _patches;
    private readonly LayerNorm _patchNorm, _norm;
    private readonly Parameter? _positions;
    private readonly Dropout _drop;
    private readonly SwinStage[] _stages;
    private readonly Linear _classifier;
    private readonly LabelConfig _labels;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Swin(ConfigReader config) : base(config)
    {
        SwinConfig c = Config = SwinConfig.Read(config);
        _labels = LabelConfig.Read(config);
        _patches = Add(Base + "embeddings.patch_embeddings", new Patches(c.ImageSize, c.PatchSize, c.NumChannels, c.EmbedDim, name: "projection"));
        _positions = c.UseAbsoluteEmbeddings ? Add(Base + "embeddings.position_embeddings", [1, _patches.Count, c.EmbedDim], Initializer.Constant(0)) : null;
        _patchNorm = Add(Base + "embeddings.norm", new LayerNorm(c.EmbedDim, 1e-5));
        _drop = Add(Base + "embeddings.dropout", new Dropout(c.HiddenDropoutProb));
        _stages = [.. Enumerable.Range(0, c.Depths.Count).Select(i => Add($"{Base}encoder.layers.{i}", new SwinStage(c, i)))];
        _norm = Add(Base + "layernorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _classifier = Add("classifier", new Linear(c.HiddenSize, _labels.Count, initializer: Initializer.Normal(c.InitializerRange)));
    }

    /// <summary>What it was built from.</summary>
    public SwinConfig Config { get; }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder(Base + "embedded", Base + "encoder.layers", Config.Depths.Count);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = inputs.Require("pixel_values");
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor x = _patchNorm.Forward(_patches.Forward(pixels, pass), pass);
        x = _positions is null ? x : x + pass.Scope.Use(_positions);
        x = _drop.Forward(x, pass);
        x = pass.Tap is null ? x : pass.Tap.Visit(Base + "embedded", x);
        int side = Config.ImageSize / Config.PatchSize;
        var outputs = new ModelOutputs();
        List<Tensor> grids = [Grid(x, side)];
        foreach (SwinStage stage in _stages)
        {
            (x, side) = stage.Forward(x, side, pass);
            grids.Add(Grid(x, side));
        }
        Tensor logits = _classifier.Forward(_norm.Forward(x, pass).Mean(1), pass);
        outputs = outputs.With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
        foreach ((int i, Tensor grid) in grids.Index())
        {
            outputs = outputs.With($"reshaped_hidden_states.{i}", grid);
        }
        return outputs;
    }

    private static Tensor Grid(Tensor x, int side) => x.Transpose(1, 2).Reshape(x.Shape[0], -1, side, side);
}
