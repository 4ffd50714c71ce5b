using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BEiT (Bao, Dong, Piao, Wei 2021, arXiv:2106.08254): ViT that learned to name hidden patches; where two patches lie to each other adds to their score, and what each part adds is scaled.

/// <summary>A number for each head and each distance of two patches, three more for the class token. Parameter: <c>relative_position_bias_table</c>.</summary>
public sealed class BeitRelativeBias : Module
{
    private readonly Parameter _table;
    private readonly long[] _pairs;
    private readonly int _heads, _length;

    internal BeitRelativeBias(int side, int heads)
    {
        int distances = (2 * side - 1) * (2 * side - 1);
        (_heads, _length) = (heads, side * side + 1);
        _table = Add("relative_position_bias_table", [distances + 3, heads], Initializer.Zeros);
        _pairs = [.. from i in Enumerable.Range(-1, _length) from j in Enumerable.Range(-1, _length)
            select (long)(i < 0 && j < 0 ? distances + 2 : i < 0 ? distances : j < 0 ? distances + 1 : (i / side - j / side + side - 1) * (2 * side - 1) + i % side - j % side + side - 1)];
    }

    internal Tensor Forward(ForwardPass pass) => pass.Scope.Use(_table).IndexSelect(0, pass.Scope.Use(Tensor.From(_pairs))).Reshape(_length, _length, _heads).Permute(2, 0, 1);   // (H, N, N)
}

/// <summary>Attention with biases by distance; keys have no bias of their own.</summary>
public sealed class BeitAttention : EncoderAttention
{
    private readonly BeitRelativeBias? _own, _shared;

    internal BeitAttention(EncoderConfig c, int layer, BeitRelativeBias? own, BeitRelativeBias? shared) : base(c, layer, keyBias: false)
    {
        _own = own is null ? null : Add("relative_position_bias", own);
        _shared = shared;
    }

    /// <inheritdoc/>
    protected override void Configure(AttentionOptions options, ForwardPass pass)
    {
        Tensor?[] biases = [_own?.Forward(pass), _shared?.Forward(pass)];
        options.Bias = biases.OfType<Tensor>().Aggregate((Tensor?)null, (sum, b) => sum is null ? b : sum + b);
    }
}

/// <summary>x + s1 attention(norm(x)), then x + s2 mlp(norm(x)).</summary>
public sealed class BeitLayer : Block
{
    private readonly BeitAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Parameter? _scale1, _scale2;
    private readonly Dropout _drop;
    private readonly Func<Tensor, Tensor> _act;

    internal BeitLayer(EncoderConfig c, int layer, double scale, BeitRelativeBias? own, BeitRelativeBias? shared)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _norm1 = Add("layernorm_before", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _attention = Add("attention.attention", new BeitAttention(c, layer, own, shared));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _scale1 = scale > 0 ? Add("lambda_1", [c.HiddenSize], Initializer.Constant(scale)) : null;
        _norm2 = Add("layernorm_after", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _scale2 = scale > 0 ? Add("lambda_2", [c.HiddenSize], Initializer.Constant(scale)) : null;
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Scaled(Tensor part, Parameter? scale) => scale is null ? part : part * pass.Scope.Use(scale);
        x += Scaled(_drop.Forward(_out.Forward(_attention.Forward(_norm1.Forward(x, pass), batch, pass), pass), pass), _scale1);
        return x + Scaled(_drop.Forward(_down.Forward(_act(_up.Forward(_norm2.Forward(x, pass), pass)), pass), pass), _scale2);
    }
}

/// <summary>BEiT with a head for classes: <c>BeitForImageClassification</c>.</summary>
public sealed class Beit : Model
{
    private const string Base = "beit.";

    private readonly EncoderConfig _c;
    private readonly Patches _patches;
    private readonly Parameter _class;
    private readonly Parameter? _positions;
    private readonly BeitLayer[] _layers;
    private readonly LayerNorm _norm;
    private readonly bool _mean;
    private readonly Linear _classifier;
    private readonly LabelConfig _labels;
    private readonly Dropout _drop;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Beit(ConfigReader config) : base(config)
    {
        EncoderConfig c = _c = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        _labels = LabelConfig.Read(config);
        int image = config.GetInt("image_size", 224, min: 1, max: 1 << 14), patch = config.GetInt("patch_size", 16, min: 1, max: image);
        ConfigChecks.Divides(config, "image_size", image, "patch_size", patch);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _class = Add(Base + "embeddings.cls_token", [1, 1, c.HiddenSize], init);
        if (config.GetBool("use_mask_token", false))
        {
            AddBuffer(Base + "embeddings.mask_token", [1, 1, c.HiddenSize], Initializer.Zeros);   // stands for hidden patches in its training only
        }
        _patches = Add(Base + "embeddings.patch_embeddings", new Patches(image, patch, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), c.HiddenSize, name: "projection"));
        _positions = config.GetBool("use_absolute_position_embeddings", false) ? Add(Base + "embeddings.position_embeddings", [1, _patches.Count + 1, c.HiddenSize], init) : null;
        int side = image / patch;
        BeitRelativeBias? shared = config.GetBool("use_shared_relative_position_bias", false) ? Add(Base + "encoder.relative_position_bias", new BeitRelativeBias(side, c.NumAttentionHeads)) : null;
        (bool own, double scale) = (config.GetBool("use_relative_position_bias", false), config.GetDouble("layer_scale_init_value", 0.1, min: 0));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"{Base}encoder.layer.{i}", new BeitLayer(c, i, scale, own ? new BeitRelativeBias(side, c.NumAttentionHeads) : null, shared)))];
        _mean = config.GetBool("use_mean_pooling", true);
        _norm = Add(Base + (_mean ? "pooler.layernorm" : "layernorm"), new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _classifier = Add("classifier", new Linear(c.HiddenSize, _labels.Count, initializer: init));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
    }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder(Base + "embedding", Base + "encoder.layer", _c.NumHiddenLayers);

    // Old checkpoints store which row of the table belongs to which pair.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("relative_position_index", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = inputs.Require("pixel_values");
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor x = Patches.Prepend(pass.Scope.Use(_class), _patches.Forward(pixels, pass));
        x = _drop.Forward(_positions is null ? x : x + pass.Scope.Use(_positions), pass);
        (long images, long length) = (x.Shape[0], x.Shape[1]);
        TokenBatch batch = Patches.Batch(images, length, pass.Scope);
        x = x.Reshape(images * length, -1);
        x = pass.Tap is null ? x : pass.Tap.Visit(Base + "embedding", x);
        x = _layers.Aggregate(x, (h, layer) => layer.Run(h, batch, pass)).Reshape(images, length, -1);
        Tensor pooled = _mean ? _norm.Forward(x.Slice(1, 1, length - 1).Mean([1]), pass) : _norm.Forward(x.Select(1, 0), pass);
        Tensor logits = _classifier.Forward(pooled, pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}
