using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// PaliGemma (Beyer et al. 2024, arXiv:2407.07726): the patches of a SigLIP tower, projected, stand before the text of a Gemma. Picture and question are a prefix that sees itself whole; only the answer
// is causal.

/// <summary>SigLIP tower, projector and Gemma: <c>PaliGemmaForConditionalGeneration</c>.</summary>
public sealed class PaliGemma : CausalLanguageModel
{
    private readonly ClipVisionTower _vision;
    private readonly Linear _project;
    private readonly Gemma _language;
    private readonly int _imageToken;

    /// <summary>A model without weights; initialise or load it.</summary>
    public PaliGemma(ConfigReader config) : base(config)
    {
        ConfigReader text = config.GetObject("text_config"), vision = config.GetObject("vision_config");
        text.GetChoice("model_type", ["gemma"], "gemma");
        vision.GetChoice("model_type", ["siglip_vision_model"], "siglip_vision_model");
        ConfigChecks.Only(vision, "vision_use_head", false, "a picture is its patches");
        ConfigChecks.Only(text, "use_bidirectional_attention", true, "the prefix sees itself whole");
        ConfigChecks.Only(config, "tie_word_embeddings", true, "the head is the embedding");
        ClipTowerConfig v = ClipTowerConfig.Read(vision, 768, "gelu_pytorch_tanh", 1e-6);
        _vision = Add("vision_tower", new ClipVisionTower(v, vision, classToken: false, patchBias: true, patchSize: 16));
        _language = Add("language_model", new Gemma(text));
        int width = config.GetInt("projection_dim", 2048, min: 1, max: 1 << 20);
        if (width != _language.Config.HiddenSize)
        {
            throw new CheckpointException(config.Source, $"\"projection_dim\" is {width}; expected text_config.hidden_size = {_language.Config.HiddenSize}");
        }
        _project = Add("multi_modal_projector.linear", new Linear(v.Width, width, initializer: Initializer.Normal(_language.Config.InitializerRange)));
        _imageToken = config.GetInt(config.Has("image_token_id") ? "image_token_id" : "image_token_index", 256000, min: 0);
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
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("position_ids", StringComparison.Ordinal) ||
        checkpointName.StartsWith("language_model.", StringComparison.Ordinal) && _language.IsRedundant(checkpointName["language_model.".Length..]);

    /// <inheritdoc/>
    public override string? StandIn(string name) => ClipVisionTower.OlderName(name);

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _language.Hidden(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _language.Logits(hidden, pass);

    /// <summary><c>pixel_values</c>, and <c>token_type_ids</c> (B, T), 1 where the answer is; without them the whole text is a prefix.</summary>
    protected override ModelOutputs? Prepare(TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids");
        batch.Sees = Prefix((int)ids.Shape[0], (int)ids.Shape[1], inputs.Find("token_type_ids")?.ToDoubles(), pass.Scope);
        if (inputs.Find("pixel_values") is not { } pixels)
        {
            return null;
        }
        Tensor x = _vision.Norm(_vision.Forward(pixels, _vision.Depth, pass), pass);
        x = _project.Forward(x, pass);
        // Gemma multiplies embeddings by sqrt(C); patches are not meant to be.
        Tensor rows = x.Reshape(-1, x.Shape[2]) / Math.Sqrt(_language.Config.HiddenSize);
        batch.Inserted = (rows, ImageTokens.Places(batch, _imageToken, x.Shape[0] * x.Shape[1], pass.Scope));
        return new ModelOutputs().With("image_hidden_states", x);
    }

    // (B, 1, T, T): a token sees all before it, and a token of the prefix the whole prefix.
    private static Tensor Prefix(int rows, int length, double[]? answer, Scope scope)
    {
        bool IsPrefix(int row, int at) => answer is null || answer[row * length + at] == 0;
        bool[] sees = [.. from r in Enumerable.Range(0, rows) from q in Enumerable.Range(0, length) from k in Enumerable.Range(0, length) select k <= q || (IsPrefix(r, q) && IsPrefix(r, k))];
        return scope.Use(Tensor.From(sees, [rows, 1, length, length]));
    }
}
