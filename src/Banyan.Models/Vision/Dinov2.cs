using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DINOv2 (Oquab et al. 2023, arXiv:2304.07193): ViT taught without labels; what each part adds is scaled by learned factors.

/// <summary>x + s1 attention(norm(x)), then x + s2 mlp(norm(x)).</summary>
public sealed class Dinov2Layer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out;
    private readonly Mlp _mlp;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Parameter _scale1, _scale2;

    internal Dinov2Layer(EncoderConfig c, int layer, double scale)
    {
        _norm1 = Add("norm1", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _attention = Add("attention.attention", new EncoderAttention(c, layer));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        _scale1 = Add("layer_scale1.lambda1", [c.HiddenSize], Initializer.Constant(scale));
        _norm2 = Add("norm2", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, bias: true, "fc1", "fc2", c.InitializerRange));
        _scale2 = Add("layer_scale2.lambda1", [c.HiddenSize], Initializer.Constant(scale));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _out.Forward(_attention.Forward(_norm1.Forward(x, pass), batch, pass), pass) * pass.Scope.Use(_scale1);
        return x + _mlp.Forward(_norm2.Forward(x, pass), pass) * pass.Scope.Use(_scale2);
    }
}

/// <summary>Patches, class token and layers: <c>Dinov2Model</c>.</summary>
public sealed class Dinov2 : Model
{
    private readonly EncoderConfig _c;
    private readonly Patches _patches;
    private readonly Parameter _class, _positions;
    private readonly Dinov2Layer[] _layers;
    private readonly LayerNorm _norm;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Dinov2(ConfigReader config) : base(config)
    {
        _c = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, LayerNormEps = 1e-6 });
        _c = _c with { IntermediateSize = config.GetInt("mlp_ratio", 4, min: 1, max: 64) * _c.HiddenSize };
        if (config.GetBool("use_swiglu_ffn", false) || !config.GetBool("qkv_bias", true))
        {
            throw new CheckpointException(config.Source, "\"use_swiglu_ffn\" must be false and \"qkv_bias\" true: other kinds of DINOv2 are not supported");
        }
        int image = config.GetInt("image_size", 224, min: 1, max: 1 << 14), patch = config.GetInt("patch_size", 14, min: 1, max: image);
        ConfigChecks.Divides(config, "image_size", image, "patch_size", patch);
        _class = Add("embeddings.cls_token", [1, 1, _c.HiddenSize], Initializer.Normal(_c.InitializerRange));
        AddBuffer("embeddings.mask_token", [1, _c.HiddenSize], Initializer.Zeros);   // stands for hidden patches in its training only
        _patches = Add("embeddings.patch_embeddings", new Patches(image, patch, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), _c.HiddenSize, name: "projection"));
        _positions = Add("embeddings.position_embeddings", [1, _patches.Count + 1, _c.HiddenSize], Initializer.Normal(_c.InitializerRange));
        _layers = [.. Enumerable.Range(0, _c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new Dinov2Layer(_c, i, config.GetDouble("layerscale_value", 1))))];
        _norm = Add("layernorm", new LayerNorm(_c.HiddenSize, _c.LayerNormEps));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder("embedding", "encoder.layer", _c.NumHiddenLayers);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = inputs.Require("pixel_values");
        inputs.CheckAllRead();
        Tensor x = Patches.Prepend(pass.Scope.Use(_class), _patches.Forward(pixels, pass)) + pass.Scope.Use(_positions);
        (long images, long length) = (x.Shape[0], x.Shape[1]);
        TokenBatch batch = Patches.Batch(images, length, pass.Scope);
        x = x.Reshape(images * length, -1);
        x = pass.Tap is null ? x : pass.Tap.Visit("embedding", x);
        foreach (Dinov2Layer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        x = _norm.Forward(x, pass).Reshape(images, length, -1);
        return new ModelOutputs().With("last_hidden_state", x).With("pooler_output", x.Select(1, 0));
    }
}
