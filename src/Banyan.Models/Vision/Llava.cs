using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// LLaVA (Liu et al. 2023, arXiv:2304.08485): the patches of a CLIP tower, projected into the embeddings of a Llama, stand where the text has image tokens.

/// <summary>CLIP tower, projector and Llama: <c>LlavaForConditionalGeneration</c>.</summary>
public sealed class Llava : CausalLanguageModel
{
    private readonly ClipVisionTower _vision;
    private readonly Linear _first, _second;
    private readonly Llama _language;
    private readonly Func<Tensor, Tensor> _act;
    private readonly int _imageToken, _layers;
    private readonly bool _dropClass;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Llava(ConfigReader config) : base(config)
    {
        ConfigReader text = config.GetObject("text_config"), vision = config.GetObject("vision_config");
        text.GetChoice("model_type", ["llama"], "llama");
        vision.GetChoice("model_type", ["clip_vision_model"], "clip_vision_model");
        ClipTowerConfig v = ClipTowerConfig.Read(vision, 1024, "quick_gelu", 1e-5);
        bool bias = config.GetBool("multimodal_projector_bias", true);
        _vision = Add("vision_tower", new ClipVisionTower(v, vision, classToken: true, patchBias: false, patchSize: 14));
        _language = Add("language_model", new Llama(text));
        Initializer init = Initializer.Normal(_language.Config.InitializerRange);
        _first = Add("multi_modal_projector.linear_1", new Linear(v.Width, _language.Config.HiddenSize, bias, initializer: init));
        _second = Add("multi_modal_projector.linear_2", new Linear(_language.Config.HiddenSize, _language.Config.HiddenSize, bias, initializer: init));
        _act = Activations.Get(config.GetChoice("projector_hidden_act", Activations.Names, "gelu"));
        _imageToken = config.GetInt(config.Has("image_token_id") ? "image_token_id" : "image_token_index", 32000, min: 0);
        _dropClass = config.GetChoice("vision_feature_select_strategy", ["default", "full"], "default") == "default";
        int layer = config.GetInt("vision_feature_layer", -2, min: -1 - _vision.Depth, max: _vision.Depth);
        _layers = layer < 0 ? _vision.Depth + 1 + layer : layer;
    }

    /// <inheritdoc/>
    public override int VocabularySize => _language.VocabularySize;

    /// <inheritdoc/>
    public override int MaxPositions => _language.MaxPositions;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _language.HeadWeight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => [];

    /// <inheritdoc/>
    public override string? StandIn(string name) => ClipVisionTower.OlderName(name);

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("position_ids", StringComparison.Ordinal)
        || (checkpointName.StartsWith("language_model.", StringComparison.Ordinal) && _language.IsRedundant(checkpointName["language_model.".Length..]));

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _language.Hidden(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _language.Logits(hidden, pass);

    /// <inheritdoc/>
    protected override ModelOutputs? Prepare(TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        if (inputs.Find("pixel_values") is not { } pixels)
        {
            return null;
        }
        Tensor x = _vision.Forward(pixels, _layers, pass);
        x = _dropClass ? x.Slice(1, 1, x.Shape[1] - 1) : x;
        x = _second.Forward(_act(_first.Forward(x.Reshape(-1, x.Shape[2]), pass)), pass);                // (patches of all pictures, C)
        batch.Inserted = (x, ImageTokens.Places(batch, _imageToken, x.Shape[0], pass.Scope));
        return new ModelOutputs().With("image_hidden_states", x);
    }
}
