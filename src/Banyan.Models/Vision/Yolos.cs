using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// YOLOS (Fang et al. 2021, arXiv:2106.00666): a plain ViT finds objects; learned tokens behind the patches each tell of one, or of nothing.

/// <summary>ViT with detection tokens: <c>YolosForObjectDetection</c>.</summary>
public sealed class Yolos : Model
{
    private const string Base = "vit.";

    private readonly EncoderConfig _c;
    private readonly Patches _patches;
    private readonly Parameter _class, _detection, _positions;
    private readonly Parameter? _positionsBetween;
    private readonly VitStack _stack;
    private readonly SetHead _classHead, _boxHead;
    private readonly SetLoss _loss;
    private readonly Dropout _drop;
    private readonly int _tokens;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Yolos(ConfigReader config) : base(config)
    {
        _c = EncoderConfig.Read(config, new() { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        _loss = SetLoss.Read(config);
        int[] size = ConfigChecks.Sizes(config, "image_size", [512, 864]);
        int patch = config.GetInt("patch_size", 16, min: 1, max: size.Min());
        if (size.Length != 2)
        {
            throw new CheckpointException(config.Source, $"\"image_size\" has {size.Length} values; expected height and width");
        }
        _tokens = config.GetInt("num_detection_tokens", 100, min: 1, max: 1 << 16);
        Initializer init = Initializer.Normal(_c.InitializerRange);
        _patches = Add(Base + "embeddings.patch_embeddings", new Patches((size[0], size[1]), patch, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), _c.HiddenSize, name: "projection"));
        int length = 1 + _patches.Count + _tokens;
        _class = Add(Base + "embeddings.cls_token", [1, 1, _c.HiddenSize], init);
        _detection = Add(Base + "embeddings.detection_tokens", [1, _tokens, _c.HiddenSize], init);
        _positions = Add(Base + "embeddings.position_embeddings", [1, length, _c.HiddenSize], init);
        _positionsBetween = config.GetBool("use_mid_position_embeddings", true)
            ? Add(Base + "encoder.mid_position_embeddings", [_c.NumHiddenLayers - 1, 1, length, _c.HiddenSize], init) : null;
        _drop = Add("dropout", new Dropout(_c.HiddenDropoutProb));
        _stack = Add(Base[..^1], new VitStack(config, _c));
        _classHead = Add("class_labels_classifier", new SetHead(_c.HiddenSize, _loss.Labels + 1, _c.InitializerRange));
        _boxHead = Add("bbox_predictor", new SetHead(_c.HiddenSize, 4, _c.InitializerRange));
    }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder(Base + "embedding", Base + "encoder.layer", _c.NumHiddenLayers);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor x = Patches.Prepend(pass.Scope.Use(_class), _patches.Forward(inputs.Require("pixel_values"), pass));
        x = Tensor.Cat([x, pass.Scope.Use(_detection).Expand([x.Shape[0], _tokens, _c.HiddenSize])], 1) + pass.Scope.Use(_positions);
        x = _drop.Forward(x, pass);
        x = pass.Tap is null ? x : pass.Tap.Visit(Base + "embedding", x);
        Tensor? between = _positionsBetween is null ? null : pass.Scope.Use(_positionsBetween);
        x = _stack.Forward(x, pass, between: between is null ? null : (layer, h) => h + between.Select(0, layer));
        Tensor found = x.Slice(1, x.Shape[1] - _tokens, _tokens);
        return _loss.Outputs(_classHead.Forward(found, pass), _boxHead.Forward(found, pass).Sigmoid(), inputs, pass).With("last_hidden_state", x);
    }
}
