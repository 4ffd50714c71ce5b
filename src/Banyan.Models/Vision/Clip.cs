using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// CLIP (Radford et al. 2021, arXiv:2103.00020): a text and a picture that belong together have vectors that point the same way.

/// <summary>Two towers and their projections: <c>CLIPModel</c>. The loss tells which text of the batch belongs to which picture, and the other way round.</summary>
public sealed class Clip : Model
{
    private readonly ClipTextTower _text;
    private readonly ClipVisionTower _vision;
    private readonly Linear _textProjection, _visualProjection;
    private readonly Parameter _scale;
    private readonly int _end;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Clip(ConfigReader config) : base(config)
    {
        ConfigReader text = config.GetObject("text_config"), vision = config.GetObject("vision_config");
        ClipTowerConfig t = ClipTowerConfig.Read(text, 512, "quick_gelu", 1e-5), v = ClipTowerConfig.Read(vision, 768, "quick_gelu", 1e-5);
        int width = config.GetInt("projection_dim", 512, min: 1, max: 1 << 20);
        _end = text.GetInt("eos_token_id", 49407, min: 0);
        _text = Add("text_model", new ClipTextTower(t, causal: true));
        _vision = Add("vision_model", new ClipVisionTower(v, vision, classToken: true, patchBias: false, patchSize: 32));
        _textProjection = Add("text_projection", new Linear(t.Width, width, bias: false, initializer: Initializer.Normal(1 / Math.Sqrt(t.Width))));
        _visualProjection = Add("visual_projection", new Linear(v.Width, width, bias: false, initializer: Initializer.Normal(1 / Math.Sqrt(v.Width))));
        _scale = Add("logit_scale", [], Initializer.Constant(config.GetDouble("logit_scale_init_value", 2.6592)));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => [];

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("position_ids", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids");
        TokenBatch batch = inputs.Tokens(pass.Scope);
        Tensor pixels = inputs.Require("pixel_values");
        inputs.CheckAllRead();
        Tensor words = _text.Forward(batch, pass), patches = _vision.Forward(pixels, _vision.Depth, pass);
        Tensor text = _textProjection.Forward(words.Embedding(Ends(ids, pass.Scope)), pass), image = _visualProjection.Forward(_vision.Norm(patches.Select(1, 0), pass), pass);
        Tensor textUnit = text / text.VectorNorm([-1], keepDim: true), imageUnit = image / image.VectorNorm([-1], keepDim: true);
        Tensor perText = textUnit.MatMul(imageUnit.Transpose(0, 1)) * pass.Scope.Use(_scale).Exp(), perImage = perText.Transpose(0, 1);
        Tensor own = pass.Scope.From([.. Enumerable.Range(0, (int)ids.Shape[0]).Select(i => (long)i)], [ids.Shape[0]]);
        Tensor? loss = ids.Shape[0] == pixels.Shape[0] ? (Loss.CrossEntropy(perText, own) + Loss.CrossEntropy(perImage.Contiguous(), own)) / 2 : null;
        return new ModelOutputs().With("loss", loss).With("logits_per_image", perImage).With("logits_per_text", perText).With("text_embeds", textUnit).With("image_embeds", imageUnit)
            .With("text_model_output.last_hidden_state", words.Reshape(ids.Shape[0], ids.Shape[1], -1)).With("text_model_output.pooler_output", text)
            .With("vision_model_output.last_hidden_state", patches).With("vision_model_output.pooler_output", image);
    }

    // The first token that ends the text; first checkpoints name 2 as end although theirs is the largest id.
    private Tensor Ends(Tensor ids, Scope scope)
    {
        double[] all = ids.ToDoubles();
        int length = (int)ids.Shape[1];
        long[] rows = [.. Enumerable.Range(0, (int)ids.Shape[0]).Select(b =>
        {
            double[] row = all[(b * length)..((b + 1) * length)];
            int at = Array.IndexOf(row, _end == 2 ? row.Max() : _end);
            return b * length + (long)Math.Max(at, 0);
        })];
        return scope.From(rows, [rows.Length]);
    }
}
