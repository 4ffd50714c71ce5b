using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Masked autoencoder (He et al. 2021, arXiv:2111.06377): a ViT sees a quarter of a picture's patches, and a small second one paints the others. N patches, K kept.

/// <summary>MAE with its pretraining head: <c>ViTMAEForPreTraining</c>.</summary>
public sealed class VitMae : Model
{
    private readonly EncoderConfig _c;
    private readonly Patches _patches;
    private readonly Parameter _class, _positions, _maskToken, _decoderPositions;
    private readonly VitStack _encoder, _decoder;
    private readonly Linear _embed, _predict;
    private readonly int _patch, _channels;
    private readonly double _maskRatio;
    private readonly bool _normalise;

    /// <summary>A model without weights; initialise or load it.</summary>
    public VitMae(ConfigReader config) : base(config)
    {
        _c = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        int image = config.GetInt("image_size", 224, min: 1, max: 1 << 14);
        (_patch, _channels) = (config.GetInt("patch_size", 16, min: 1, max: image), config.GetInt("num_channels", 3, min: 1, max: 1 << 12));
        ConfigChecks.Divides(config, "image_size", image, "patch_size", _patch);
        (_maskRatio, _normalise) = (config.GetDouble("mask_ratio", 0.75, min: 0, max: 0.999), config.GetBool("norm_pix_loss", false));
        EncoderConfig d = _c with
        {
            HiddenSize = config.GetInt("decoder_hidden_size", 512, min: 1, max: 1 << 20), NumAttentionHeads = config.GetInt("decoder_num_attention_heads", 16, min: 1, max: 1 << 16),
            NumHiddenLayers = config.GetInt("decoder_num_hidden_layers", 8, min: 0, max: 4096), IntermediateSize = config.GetInt("decoder_intermediate_size", 2048, min: 1, max: 1 << 24),
        };
        ConfigChecks.Divides(config, "decoder_hidden_size", d.HiddenSize, "decoder_num_attention_heads", d.NumAttentionHeads);
        ConfigChecks.Divides(config, "hidden_size", _c.HiddenSize, "sines and cosines in two directions", 4);
        ConfigChecks.Divides(config, "decoder_hidden_size", d.HiddenSize, "sines and cosines in two directions", 4);
        Initializer init = Initializer.Normal(_c.InitializerRange);
        _class = Add("vit.embeddings.cls_token", [1, 1, _c.HiddenSize], init);
        _patches = Add("vit.embeddings.patch_embeddings", new Patches(image, _patch, _channels, _c.HiddenSize, name: "projection"));
        _positions = AddBuffer("vit.embeddings.position_embeddings", [1, _patches.Count + 1, _c.HiddenSize], Waves(image / _patch, _c.HiddenSize));
        _encoder = Add("vit", new VitStack(config, _c));
        _embed = Add("decoder.decoder_embed", new Linear(_c.HiddenSize, d.HiddenSize, initializer: init));
        _maskToken = Add("decoder.mask_token", [1, 1, d.HiddenSize], init);
        _decoderPositions = AddBuffer("decoder.decoder_pos_embed", [1, _patches.Count + 1, d.HiddenSize], Waves(image / _patch, d.HiddenSize));
        _decoder = Add("decoder", new VitStack(config, d, "decoder_encoder.layer", "decoder_norm"));
        _predict = Add("decoder.decoder_pred", new Linear(d.HiddenSize, _patch * _patch * _channels, initializer: init));
    }

    /// <inheritdoc/>
    public override string BasePrefix => "vit.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder("vit.embedding", "vit.encoder.layer", _c.NumHiddenLayers);

    // The names of the second network before transformers 5.
    /// <inheritdoc/>
    public override string? StandIn(string name) =>
        name.StartsWith("decoder.decoder_encoder.layer.", StringComparison.Ordinal) ? $"decoder.decoder_layers.{name["decoder.decoder_encoder.layer.".Length..]}" : null;

    /// <summary><c>pixel_values</c> (B, channels, side, side), and perhaps <c>noise</c> (B, N): the patches with the least are kept. The loss counts hidden patches only.</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor x = _patches.Forward(pixels, pass) + pass.Scope.Use(_positions).Slice(1, 1, _patches.Count);
        (long images, int count) = (x.Shape[0], _patches.Count);
        Tensor noise = inputs.Find("noise") is { } given ? pass.Scope.Use(given) : Noise(images, pass);
        inputs.CheckAllRead();
        Tensor order = noise.ArgSort(1), back = order.ArgSort(1);
        int kept = (int)(count * (1 - _maskRatio));
        x = x.Gather(1, PerElement(order.Slice(1, 0, kept), _c.HiddenSize));
        x = Patches.Prepend(pass.Scope.Use(_class) + pass.Scope.Use(_positions).Slice(1, 0, 1), x);
        x = pass.Tap is null ? x : pass.Tap.Visit("vit.embedding", x);
        Tensor predicted = Paint(_encoder.Forward(x, pass), back, pass);
        Tensor mask = (back >= kept).To(DType.Float32);
        Tensor error = (predicted - Target(pixels)).Square().Mean([2]);
        return new ModelOutputs().With("loss", (error * mask).Sum() / mask.Sum()).With("logits", predicted).With("mask", mask).With("ids_restore", back);
    }

    // What was seen (B, 1 + K, C) to pixels of all patches (B, N, P P channels): mask tokens stand for what was not.
    private Tensor Paint(Tensor seen, Tensor back, ForwardPass pass)
    {
        Tensor x = _embed.Forward(seen, pass);
        (long images, long width) = (x.Shape[0], x.Shape[2]);
        Tensor hidden = pass.Scope.Use(_maskToken).Expand([images, _patches.Count + 1 - x.Shape[1], width]);
        Tensor all = Tensor.Cat([x.Slice(1, 1, x.Shape[1] - 1), hidden], 1).Gather(1, PerElement(back, width));
        x = Tensor.Cat([x.Slice(1, 0, 1), all], 1) + pass.Scope.Use(_decoderPositions);
        return _predict.Forward(_decoder.Forward(x, pass), pass).Slice(1, 1, _patches.Count);
    }

    // Pictures to (B, N, P P channels), each patch with mean 0 and variance 1 where that is asked for.
    private Tensor Target(Tensor pixels)
    {
        long side = pixels.Shape[2] / _patch;
        Tensor target = pixels.Reshape(pixels.Shape[0], _channels, side, _patch, side, _patch).Permute(0, 2, 4, 3, 5, 1).Reshape(pixels.Shape[0], side * side, -1);
        return _normalise ? (target - target.Mean([2], keepDim: true)) / (target.Var([2], keepDim: true) + 1e-6).Sqrt() : target;
    }

    private Tensor Noise(long images, ForwardPass pass)
    {
        Tensor noise = pass.Scope.Zeros([images, _patches.Count]);
        noise.FillUniform(1, (long)pass.DropoutSeed(this));
        return noise;
    }

    private static Tensor PerElement(Tensor index, long width) => index.Unsqueeze(2).Expand([index.Shape[0], index.Shape[1], width]);

    // Sines and cosines of the column in one half of the width, of the row in the other; zeros for the class token.
    private static Initializer Waves(int side, int width) => Initializer.Of((row, column) =>
    {
        (long place, int i) = (row - 1, (int)column);
        int quarter = width / 4, part = i / quarter;
        double position = part < 2 ? place % side : place / side, angle = position / Math.Pow(10000, i % quarter / (double)quarter);
        return place < 0 ? 0 : part % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle);
    });
}
