using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BLIP (Li, Li, Xiong, Hoi 2022, arXiv:2201.12086): a ViT sees, and a BERT, causal and without segments, writes a caption while its layers attend to the patches.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)), with one layer for queries, keys and values.</summary>
public sealed class BlipVisionLayer : Block
{
    private readonly ClipTowerConfig _c;
    private readonly int _layer;
    private readonly Linear _qkv, _out;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _norm1, _norm2;

    internal BlipVisionLayer(ClipTowerConfig c, int layer)
    {
        (_c, _layer) = (c, layer);
        Initializer init = Initializer.Normal(c.Layer.InitStd);
        _qkv = Add("self_attn.qkv", new Linear(c.Width, 3 * c.Width, initializer: init));
        _out = Add("self_attn.projection", new Linear(c.Width, c.Width, initializer: init));
        (_norm1, _norm2) = (Add("layer_norm1", new LayerNorm(c.Width, c.LayerNormEps)), Add("layer_norm2", new LayerNorm(c.Width, c.LayerNormEps)));
        _mlp = Add("mlp", new Seq2SeqMlp(c.Layer, c.Layer.EncoderFfnDim));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        int heads = _c.Layer.EncoderAttentionHeads;
        Tensor qkv = _qkv.Forward(_norm1.Forward(x, pass), pass).Reshape(-1, 3, heads, _c.Width / heads);
        AttentionOptions options = batch.Options(causal: false);
        (options.Dropout, options.Seed) = (pass.Training ? _c.Layer.AttentionDropout : 0, pass.DropoutSeed(this));
        Tensor o = batch.Attend(_layer, qkv.Select(1, 0), qkv.Select(1, 1), qkv.Select(1, 2), options);
        x += _out.Forward(o.Reshape(-1, _c.Width), pass);
        return x + _mlp.Forward(_norm2.Forward(x, pass), pass);
    }
}

/// <summary>ViT that looks and BERT that writes: <c>BlipForConditionalGeneration</c>.</summary>
public sealed class Blip : EncoderDecoderModel
{
    private readonly ClipTowerConfig _vision;
    private readonly Patches _patches;
    private readonly Parameter _class, _positions;
    private readonly BlipVisionLayer[] _layers;
    private readonly LayerNorm _norm;
    private readonly BertLMHeadModel _decoder;
    private readonly double _smoothing;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Blip(ConfigReader config) : base(config)
    {
        ConfigReader text = config.GetObject("text_config"), vision = config.GetObject("vision_config");
        ConfigChecks.Only(config, "tie_word_embeddings", true, "the head is the embedding");
        _vision = ClipTowerConfig.Read(vision, 768, "gelu", 1e-5);
        _decoder = Add("text_decoder", new BertLMHeadModel(text, new BertModel(text, pooler: false, source: true, segments: false)));
        int width = text.GetInt("encoder_hidden_size", 768, min: 1, max: 1 << 20);
        if (width != _vision.Width || width != _decoder.Config.HiddenSize)
        {
            throw new CheckpointException(config.Source, $"\"text_config.encoder_hidden_size\" is {width}; expected the widths of the picture, {_vision.Width}, and of the text, {_decoder.Config.HiddenSize}");
        }
        Initializer init = Initializer.Normal(_vision.Layer.InitStd);
        int image = vision.GetInt("image_size", 384, min: 1, max: 1 << 14), patch = vision.GetInt("patch_size", 16, min: 1, max: image);
        ConfigChecks.Divides(vision, "image_size", image, "patch_size", patch);
        _class = Add("vision_model.embeddings.class_embedding", [1, 1, width], init);
        _patches = Add("vision_model.embeddings.patch_embedding", new Patches(image, patch, 3, width));
        _positions = Add("vision_model.embeddings.position_embedding", [1, _patches.Count + 1, width], init);
        _layers = [.. Enumerable.Range(0, _vision.Layer.EncoderLayers).Select(i => Add($"vision_model.encoder.layers.{i}", new BlipVisionLayer(_vision, i)))];
        _norm = Add("vision_model.post_layernorm", new LayerNorm(width, _vision.LayerNormEps));
        _smoothing = text.GetDouble("label_smoothing", 0, min: 0, max: 1);
        (DecoderStartTokenId, PadTokenId) = (text.GetInt("bos_token_id", 30522, min: 0), text.GetInt("pad_token_id", 0, min: 0));
    }

    /// <inheritdoc/>
    public override int VocabularySize => _decoder.VocabularySize;

    /// <inheritdoc/>
    public override int MaxPositions => _decoder.MaxPositions;

    /// <inheritdoc/>
    public override int DecoderStartTokenId { get; }

    /// <inheritdoc/>
    public override int PadTokenId { get; }

    /// <inheritdoc/>
    public override Parameter HeadWeight => _decoder.HeadWeight;

    /// <inheritdoc/>
    protected override bool HasPlainHead => false;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => [];

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("text_decoder.", StringComparison.Ordinal) && _decoder.IsRedundant(checkpointName["text_decoder.".Length..]);

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass)
    {
        Tensor x = Patches.Prepend(pass.Scope.Use(_class), _patches.Forward(inputs.Require("pixel_values"), pass)) + pass.Scope.Use(_positions);
        (int images, int length) = ((int)x.Shape[0], (int)x.Shape[1]);
        TokenBatch batch = Patches.Batch(images, length, pass.Scope);
        x = _layers.Aggregate(x.Reshape(images * length, -1), (h, layer) => layer.Run(h, batch, pass));
        return new EncodedSource(_norm.Forward(x, pass), SequenceLayout.Batch(images, length));
    }

    /// <summary><c>pixel_values</c> and <c>input_ids</c> (B, T), the caption so far; labels are the caption itself, which the loss moves by one.</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        EncodedSource source = Encode(inputs, pass);
        Tensor ids = inputs.Require("input_ids");
        TokenBatch batch = inputs.Tokens(pass.Scope);
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        batch.Source = source;
        Tensor logits = Logits(Hidden(batch, pass), pass), image = source.Hidden.Reshape(ids.Shape[0], -1, source.Hidden.Shape[1]);
        Tensor? loss = labels is null ? null : Banyan.Loss.CrossEntropy(logits, NextTokens(labels, pass.Scope), labelSmoothing: _smoothing);
        return new ModelOutputs().With("loss", loss).With("logits", logits.Reshape(ids.Shape[0], ids.Shape[1], VocabularySize)).With("image_embeds", image).With("last_hidden_state", image);
    }

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _decoder.Hidden(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _decoder.Logits(hidden, pass);
}
