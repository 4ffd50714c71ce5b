using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Audio Spectrogram Transformer (Gong, Chung, Glass 2021, arXiv:2104.01778): DeiT over patches of a mel spectrogram, which overlap; the two tokens of its own are averaged.

/// <summary>AST with a head for classes: <c>ASTForAudioClassification</c>.</summary>
public sealed class AudioSpectrogramTransformer : Model
{
    private const string Base = "audio_spectrogram_transformer.";

    private readonly EncoderConfig _c;
    private readonly Conv _patches;
    private readonly Parameter _class, _distillation, _positions;
    private readonly VitStack _stack;
    private readonly LayerNorm _headNorm;
    private readonly Linear _classifier;
    private readonly LabelConfig _labels;
    private readonly Dropout _drop;
    private readonly int _frames, _bands;

    /// <summary>A model without weights; initialise or load it.</summary>
    public AudioSpectrogramTransformer(ConfigReader config) : base(config)
    {
        _c = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        _labels = LabelConfig.Read(config);
        (_frames, _bands) = (config.GetInt("max_length", 1024, min: 1, max: 1 << 20), config.GetInt("num_mel_bins", 128, min: 1, max: 1 << 16));
        int patch = config.GetInt("patch_size", 16, min: 1, max: Math.Min(_frames, _bands));
        int alongBands = config.GetInt("frequency_stride", 10, min: 1), alongTime = config.GetInt("time_stride", 10, min: 1);
        Initializer init = Initializer.Normal(_c.InitializerRange);
        _class = Add(Base + "embeddings.cls_token", [1, 1, _c.HiddenSize], init);
        _distillation = Add(Base + "embeddings.distillation_token", [1, 1, _c.HiddenSize], init);
        int patches = ((_bands - patch) / alongBands + 1) * ((_frames - patch) / alongTime + 1);
        _positions = Add(Base + "embeddings.position_embeddings", [1, patches + 2, _c.HiddenSize], init);
        _patches = Add(Base + "embeddings.patch_embeddings.projection", new Conv(1, _c.HiddenSize, [patch, patch], new ConvOptions { Stride = [alongBands, alongTime] }));
        _drop = Add("dropout", new Dropout(_c.HiddenDropoutProb));
        _stack = Add(Base[..^1], new VitStack(config, _c));
        _headNorm = Add("classifier.layernorm", new LayerNorm(_c.HiddenSize, _c.LayerNormEps));
        _classifier = Add("classifier.dense", new Linear(_c.HiddenSize, _labels.Count, initializer: init));
    }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder(Base + "embedding", Base + "encoder.layer", _c.NumHiddenLayers);

    /// <summary><c>input_values</c> (B, frames, mel bands) to logits (B, labels).</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor sound = pass.Scope.Use(inputs.Require("input_values"));
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        if (sound.Rank != 3 || sound.Shape[1] != _frames || sound.Shape[2] != _bands)
        {
            throw new ArgumentException($"input_values must be (batch, {_frames} frames, {_bands} bands), given {sound.Shape}");
        }
        Tensor x = _patches.Forward(sound.Unsqueeze(1).Transpose(2, 3), pass);                      // (B, C, bands, frames)
        x = x.Reshape(x.Shape[0], x.Shape[1], -1).Transpose(1, 2);
        x = Patches.Prepend(pass.Scope.Use(_class), Patches.Prepend(pass.Scope.Use(_distillation), x)) + pass.Scope.Use(_positions);
        x = _drop.Forward(x, pass);
        x = pass.Tap is null ? x : pass.Tap.Visit(Base + "embedding", x);
        x = _stack.Forward(x, pass);
        Tensor logits = _classifier.Forward(_headNorm.Forward((x.Select(1, 0) + x.Select(1, 1)) / 2, pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}
