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

    internal VitLayer(EncoderConfig c, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _norm1 = Add("layernorm_before", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _attention = Add("attention.attention", new EncoderAttention(c, layer));
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

/// <summary>Patches, class token and layers: <c>vit</c> in checkpoints.</summary>
public sealed class VitModel : Module
{
    private readonly Patches _patches;
    private readonly Parameter[] _tokens;
    private readonly Parameter _positions;
    private readonly VitLayer[] _layers;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;

    internal VitModel(ConfigReader config, params string[] tokens)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        if (!config.GetBool("qkv_bias", true))
        {
            throw new CheckpointException(config.Source, "\"qkv_bias\" is false; expected true");
        }
        int image = config.GetInt("image_size", 224, min: 1, max: 1 << 14), patch = config.GetInt("patch_size", 16, min: 1, max: image);
        ConfigChecks.Divides(config, "image_size", image, "patch_size", patch);
        _tokens = [.. tokens.Select(t => Add($"embeddings.{t}", [1, 1, c.HiddenSize], Initializer.Normal(c.InitializerRange)))];
        _patches = Add("embeddings.patch_embeddings", new Patches(image, patch, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), c.HiddenSize, name: "projection"));
        _positions = Add("embeddings.position_embeddings", [1, _patches.Count + tokens.Length, c.HiddenSize], Initializer.Normal(c.InitializerRange));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new VitLayer(c, i)))];
        _norm = Add("layernorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
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
        (long images, long length) = (x.Shape[0], x.Shape[1]);
        TokenBatch batch = Patches.Batch(images, length, pass.Scope);
        x = pass.Visit(this, "embedding", _drop.Forward(x, pass).Reshape(images * length, -1));
        foreach (VitLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return _norm.Forward(x, pass).Reshape(images, length, -1);
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
