using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ViT (Dosovitskiy et al. 2021, arXiv:2010.11929): patches of a picture are the tokens of an encoder with norms before each part; a token of its own stands for the whole.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class VitLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop;
    private readonly Func<Tensor, Tensor> _act;

    internal VitLayer(EncoderConfig c, int layer, bool bias)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _norm1 = Add("layernorm_before", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _attention = Add("attention.attention", new EncoderAttention(c, layer, bias: bias));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm2 = Add("layernorm_after", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop.Forward(_out.Forward(_attention.Forward(_norm1.Forward(x, pass), batch, pass), pass), pass);
        return x + _drop.Forward(_down.Forward(_act(_up.Forward(_norm2.Forward(x, pass), pass)), pass), pass);
    }
}

/// <summary>The layers and the norm behind them, which other models share (YOLOS, AST, ViLT, MAE).</summary>
public sealed class VitStack : Module
{
    private readonly VitLayer[] _layers;
    private readonly LayerNorm _norm;

    /// <summary>A stack.</summary>
    /// <param name="config">Says whether queries, keys and values have biases.</param>
    /// <param name="c">Sizes.</param>
    /// <param name="layers">Name of the layers, followed by their index. Default: <c>encoder.layer</c>.</param>
    /// <param name="norm">Name of the norm. Default: <c>layernorm</c>.</param>
    public VitStack(ConfigReader config, EncoderConfig c, string layers = "encoder.layer", string norm = "layernorm")
    {
        bool bias = config.GetBool("qkv_bias", true);
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"{layers}.{i}", new VitLayer(c, i, bias)))];
        _norm = Add(norm, new LayerNorm(c.HiddenSize, c.LayerNormEps));
    }

    /// <summary>x (B, N, C) to (B, N, C).</summary>
    /// <param name="x">The tokens.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    /// <param name="visible">B N flags, false where no token may look; null: all are visible.</param>
    /// <param name="between">What becomes of the tokens (B, N, C) behind the layer with this index, but the last; null: nothing.</param>
    public Tensor Forward(Tensor x, ForwardPass pass, bool[]? visible = null, Func<int, Tensor, Tensor>? between = null)
    {
        (long images, long length) = (x.Shape[0], x.Shape[1]);
        TokenBatch batch = Patches.Batch(images, length, pass.Scope, visible);
        x = x.Reshape(images * length, -1);
        for (int i = 0; i < _layers.Length; i++)
        {
            x = _layers[i].Run(x, batch, pass);
            x = between is null || i + 1 == _layers.Length ? x : between(i, x.Reshape(images, length, -1)).Reshape(images * length, -1);
        }
        return _norm.Forward(x, pass).Reshape(images, length, -1);
    }
}

/// <summary>Patches, class token and layers: <c>vit</c> in checkpoints.</summary>
public sealed class VitModel : Module
{
    private readonly Patches _patches;
    private readonly Parameter[] _tokens;
    private readonly Parameter _positions;
    private readonly VitStack _stack;
    private readonly Dropout _drop;

    internal VitModel(ConfigReader config, params string[] tokens) : this(config, pooler: false, tokens)
    {
    }

    /// <summary>A model; a pooler is kept for checkpoints that have one, and never used.</summary>
    internal VitModel(ConfigReader config, bool pooler, params string[] tokens)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        int image = config.GetInt("image_size", 224, min: 1, max: 1 << 14), patch = config.GetInt("patch_size", 16, min: 1, max: image);
        ConfigChecks.Divides(config, "image_size", image, "patch_size", patch);
        _tokens = [.. tokens.Select(t => Add($"embeddings.{t}", [1, 1, c.HiddenSize], Initializer.Normal(c.InitializerRange)))];
        _patches = Add("embeddings.patch_embeddings", new Patches(image, patch, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), c.HiddenSize, name: "projection"));
        _positions = Add("embeddings.position_embeddings", [1, _patches.Count + tokens.Length, c.HiddenSize], Initializer.Normal(c.InitializerRange));
        _stack = Add("", new VitStack(config, c));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
        if (pooler)
        {
            Add("pooler.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        }
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <summary>Where the hidden states appear: the norm at the end is not among them.</summary>
    public IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "embedding", path + "encoder.layer", Config.NumHiddenLayers);

    /// <summary>Pictures to (B, tokens + patches, C), the norm included.</summary>
    public Tensor Forward(Tensor pixels, ForwardPass pass)
    {
        Tensor x = _patches.Forward(pixels, pass);
        foreach (Parameter token in _tokens.Reverse())
        {
            x = Patches.Prepend(pass.Scope.Use(token), x);
        }
        x += pass.Scope.Use(_positions);
        return _stack.Forward(pass.Visit(this, "embedding", _drop.Forward(x, pass)), pass);
    }
}

/// <summary>ViT with a head for classes: <c>ViTForImageClassification</c>.</summary>
public sealed class VitForImageClassification : Model
{
    private readonly VitModel _vit;
    private readonly Linear _classifier;
    private readonly LabelConfig _labels;

    /// <summary>A model without weights; initialise or load it.</summary>
    public VitForImageClassification(ConfigReader config) : base(config)
    {
        _labels = LabelConfig.Read(config);
        _vit = Add("vit", new VitModel(config, "cls_token"));
        _classifier = Add("classifier", new Linear(_vit.Config.HiddenSize, _labels.Count, initializer: Initializer.Normal(_vit.Config.InitializerRange)));
    }

    /// <inheritdoc/>
    public override string BasePrefix => "vit.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => _vit.HiddenStates("vit.");

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = inputs.Require("pixel_values");
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _classifier.Forward(_vit.Forward(pixels, pass).Select(1, 0), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}

/// <summary>DeiT (Touvron et al. 2021, arXiv:2012.12877): ViT with a second token that was taught by another network; the answers of both are averaged.</summary>
public sealed class DeitWithTeacher : Model
{
    private readonly VitModel _deit;
    private readonly Linear _class, _distillation;

    /// <summary>A model without weights; initialise or load it.</summary>
    public DeitWithTeacher(ConfigReader config) : base(config)
    {
        int labels = LabelConfig.Read(config).Count;
        _deit = Add("deit", new VitModel(config, "cls_token", "distillation_token"));
        _class = Add("cls_classifier", new Linear(_deit.Config.HiddenSize, labels, initializer: Initializer.Normal(_deit.Config.InitializerRange)));
        _distillation = Add("distillation_classifier", new Linear(_deit.Config.HiddenSize, labels, initializer: Initializer.Normal(_deit.Config.InitializerRange)));
    }

    /// <inheritdoc/>
    public override string BasePrefix => "deit.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => _deit.HiddenStates("deit.");

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = inputs.Require("pixel_values");
        _ = inputs.Find("labels");   // accepted, as in the reference, which gives no loss here
        inputs.CheckAllRead();
        Tensor x = _deit.Forward(pixels, pass), a = _class.Forward(x.Select(1, 0), pass), b = _distillation.Forward(x.Select(1, 1), pass);
        return new ModelOutputs().With("logits", (a + b) / 2).With("cls_logits", a).With("distillation_logits", b);
    }
}
