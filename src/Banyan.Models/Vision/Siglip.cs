using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// SigLIP (Zhai et al. 2023, arXiv:2303.15343): CLIP whose loss asks of every pair by itself whether it belongs together; a learned query pools the patches.

/// <summary>Attention of one learned query to the patches, then x + mlp(norm(x)).</summary>
public sealed class SiglipPoolingHead : Module
{
    private readonly Parameter _probe;
    private readonly MultiheadAttention _attention;
    private readonly LayerNorm _norm;
    private readonly Seq2SeqMlp _mlp;

    internal SiglipPoolingHead(ClipTowerConfig c)
    {
        _probe = Add("probe", [1, 1, c.Width], Initializer.Normal(c.Layer.InitStd));
        _attention = Add("attention", new MultiheadAttention(c.Width, c.Layer.EncoderAttentionHeads, new() { BatchFirst = true }));
        _norm = Add("layernorm", new LayerNorm(c.Width, c.LayerNormEps));
        _mlp = Add("mlp", new Seq2SeqMlp(c.Layer, c.Layer.EncoderFfnDim));
    }

    /// <summary>(B, patches, C) to (B, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor probe = pass.Scope.Use(_probe).Expand([x.Shape[0], 1, x.Shape[2]]);
        Tensor pooled = _attention.Forward(probe, x, x, pass).Output.Select(1, 0);
        return pooled + _mlp.Forward(_norm.Forward(pooled, pass), pass);
    }
}

/// <summary>Two towers: <c>SiglipModel</c>.</summary>
public sealed class Siglip : Model
{
    private readonly ClipTextTower _text;
    private readonly ClipVisionTower _vision;
    private readonly Linear _textHead;
    private readonly SiglipPoolingHead _visionHead;
    private readonly Parameter _scale, _bias;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Siglip(ConfigReader config) : base(config)
    {
        ConfigReader text = config.GetObject("text_config"), vision = config.GetObject("vision_config");
        ClipTowerConfig t = ClipTowerConfig.Read(text, 768, "gelu_pytorch_tanh", 1e-6), v = ClipTowerConfig.Read(vision, 768, "gelu_pytorch_tanh", 1e-6);
        if (!vision.GetBool("vision_use_head", true))
        {
            throw new CheckpointException(config.Source, "\"vision_use_head\" is false; expected true");
        }
        _text = Add("text_model", new ClipTextTower(t, causal: false));
        _textHead = Add("text_model.head", new Linear(t.Width, text.GetInt("projection_size", t.Width, min: 1, max: 1 << 20), initializer: Initializer.Normal(t.Layer.InitStd)));
        _vision = Add("vision_model", new ClipVisionTower(v, vision, classToken: false, patchBias: true, patchSize: 16));
        _visionHead = Add("vision_model.head", new SiglipPoolingHead(v));
        _scale = Add("logit_scale", [1], Initializer.Constant(Math.Log(10)));
        _bias = Add("logit_bias", [1], Initializer.Constant(-10));
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
        Tensor words = _text.Forward(batch, pass).Reshape(ids.Shape[0], ids.Shape[1], -1), patches = _vision.Norm(_vision.Forward(pixels, _vision.Depth, pass), pass);
        Tensor text = _textHead.Forward(words.Select(1, -1), pass), image = _visionHead.Forward(patches, pass);
        Tensor textUnit = text / text.VectorNorm([-1], keepDim: true), imageUnit = image / image.VectorNorm([-1], keepDim: true);
        Tensor perText = textUnit.MatMul(imageUnit.Transpose(0, 1)) * pass.Scope.Use(_scale).Exp() + pass.Scope.Use(_bias);
        return new ModelOutputs().With("loss", ids.Shape[0] == pixels.Shape[0] ? Pairs(perText) : null).With("logits_per_image", perText.Transpose(0, 1)).With("logits_per_text", perText)
            .With("text_embeds", textUnit).With("image_embeds", imageUnit).With("text_model_output.last_hidden_state", words).With("text_model_output.pooler_output", text)
            .With("vision_model_output.last_hidden_state", patches).With("vision_model_output.pooler_output", image);
    }

    // -log sigmoid of the logits of true pairs and of minus those of false ones.
    private static Tensor Pairs(Tensor logits)
    {
        int n = (int)logits.Shape[0];
        Tensor sign = logits.Scope!.From<float>([.. Enumerable.Range(0, n * n).Select(i => i / n == i % n ? 1f : -1f)], [n, n]);
        return (-(logits * sign)).Softplus().Sum() / n;
    }
}
