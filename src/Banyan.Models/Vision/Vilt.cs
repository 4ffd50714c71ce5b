using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ViLT (Kim, Son, Kim 2021, arXiv:2102.03334): the words of a question and the patches of a picture, without any network of their own, are the tokens of one encoder.

/// <summary>ViLT with a head over answers: <c>ViltForQuestionAnswering</c>.</summary>
public sealed class Vilt : Model
{
    private const string Base = "vilt.";

    private readonly EncoderConfig _c;
    private readonly EncoderEmbeddings _words;
    private readonly Conv _patches;
    private readonly Parameter _class, _positions;
    private readonly Embedding _modalities;
    private readonly VitStack _stack;
    private readonly Linear _pooler, _up, _answers;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;
    private readonly int _side;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Vilt(ConfigReader config) : base(config)
    {
        _c = EncoderConfig.Read(config, new() { MaxPositionEmbeddings = 40, HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 });
        int image = config.GetInt("image_size", 384, min: 1, max: 1 << 14), patch = config.GetInt("patch_size", 32, min: 1, max: image);
        ConfigChecks.Divides(config, "image_size", image, "patch_size", patch);
        if (config.GetInt("max_image_length", -1) > 0)
        {
            throw new CheckpointException(config.Source, $"\"max_image_length\" is {config.GetInt("max_image_length")}; expected -1: pictures are never cut to some of their patches");
        }
        int answers = LabelConfig.Read(config).Count;
        _side = image / patch;
        Initializer init = Initializer.Normal(_c.InitializerRange);
        _class = Add(Base + "embeddings.cls_token", [1, 1, _c.HiddenSize], init);
        _words = Add(Base + "embeddings.text_embeddings", new EncoderEmbeddings(_c));
        _patches = Add(Base + "embeddings.patch_embeddings.projection", new Conv(config.GetInt("num_channels", 3, min: 1, max: 1 << 12), _c.HiddenSize, [patch, patch], new ConvOptions { Stride = [patch, patch] }));
        _positions = Add(Base + "embeddings.position_embeddings", [1, _side * _side + 1, _c.HiddenSize], init);
        _modalities = Add(Base + "embeddings.token_type_embeddings", new Embedding(config.GetInt("modality_type_vocab_size", 2, min: 2, max: 1 << 16), _c.HiddenSize, init));
        _drop = Add("dropout", new Dropout(_c.HiddenDropoutProb));
        _stack = Add(Base[..^1], new VitStack(config, _c));
        _pooler = Add(Base + "pooler.dense", new Linear(_c.HiddenSize, _c.HiddenSize, initializer: init));
        _up = Add("classifier.0", new Linear(_c.HiddenSize, 2 * _c.HiddenSize, initializer: init));
        _norm = Add("classifier.1", new LayerNorm(2 * _c.HiddenSize));
        _answers = Add("classifier.3", new Linear(2 * _c.HiddenSize, answers, initializer: init));
    }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder(Base + "embedding", Base + "encoder.layer", _c.NumHiddenLayers);

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("position_ids", StringComparison.Ordinal);

    /// <summary>
    /// <c>input_ids</c> (B, T) and <c>pixel_values</c> (B, channels, height, width), with <c>pixel_mask</c> (B, height, width) where pictures are smaller than that, to logits of answers. The loss takes
    /// <c>labels</c> (B, answers) between 0 and 1 and is multiplied by the number of answers, as in the paper's code.
    /// </summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids"), pixels = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor? wordMask = inputs.Find("attention_mask"), pixelMask = inputs.Find("pixel_mask"), labels = inputs.Find("labels");
        TokenBatch batch = inputs.Tokens(pass.Scope, types: true);
        inputs.CheckAllRead();
        (int rows, int words) = ((int)ids.Shape[0], (int)ids.Shape[1]);
        Tensor text = _words.Forward(batch, pass).Reshape(rows, words, -1) + Modality(0, pass);
        (Tensor patches, bool[] real) = Picture(pixels, pixelMask, pass);
        Tensor x = Tensor.Cat([text, patches + Modality(1, pass)], 1);
        double[]? seen = wordMask?.ToDoubles();
        int length = (int)x.Shape[1];
        bool[] visible = [.. Enumerable.Range(0, rows * length).Select(i => i % length is var t && t < words ? seen is null || seen[i / length * words + t] != 0 : real[i / length * (length - words) + t - words])];
        x = pass.Tap is null ? x : pass.Tap.Visit(Base + "embedding", x);
        x = _stack.Forward(x, pass, visible);
        Tensor pooled = _pooler.Forward(x.Select(1, 0), pass).Tanh();
        Tensor logits = _answers.Forward(_norm.Forward(_up.Forward(pooled, pass), pass).Gelu(), pass);
        Tensor? loss = labels is null ? null : Loss.BinaryCrossEntropyWithLogits(logits, pass.Scope.Use(labels).To(logits.DType)) * labels.Shape[1];
        return new ModelOutputs().With("loss", loss).With("logits", logits);
    }

    // Pictures to a class token and patches (B, 1 + h w, C), and which of them are real.
    private (Tensor Tokens, bool[] Real) Picture(Tensor pixels, Tensor? mask, ForwardPass pass)
    {
        Tensor x = _patches.Forward(pixels, pass);                                                   // (B, C, h, w)
        (int images, int width, int high, int wide) = ((int)x.Shape[0], (int)x.Shape[1], (int)x.Shape[2], (int)x.Shape[3]);
        double[]? grid = mask is null ? null : pass.Scope.Use(mask).To(DType.Float32).Unsqueeze(1).Interpolate([high, wide]).ToDoubles();
        bool[] real = [.. Enumerable.Range(0, images * (high * wide + 1)).Select(i => i % (high * wide + 1) is var p && (p == 0 || grid is null || grid[i / (high * wide + 1) * high * wide + p - 1] != 0))];
        Tensor table = pass.Scope.Use(_positions), own = table.Slice(1, 1, _side * _side).Transpose(1, 2).Reshape(1, width, _side, _side);
        var positions = new Tensor[images];
        for (int i = 0; i < images; i++)
        {
            // The table stretched over what is real of each picture, which begins at its corner.
            int first = i * high * wide, h = grid is null ? high : Enumerable.Range(0, high).Count(y => grid[first + y * wide] != 0), w = grid is null ? wide : Enumerable.Range(0, wide).Count(c => grid[first + c] != 0);
            Tensor at = h == _side && w == _side ? own : own.Interpolate([Math.Max(h, 1), Math.Max(w, 1)], InterpolationMode.Linear, alignCorners: true);
            positions[i] = at.Pad([0, wide - Math.Max(w, 1), 0, high - Math.Max(h, 1)]);
        }
        x = (x + Tensor.Cat(positions, 0)).Reshape(images, width, -1).Transpose(1, 2);
        return (_drop.Forward(Patches.Prepend(pass.Scope.Use(_class) + table.Slice(1, 0, 1), x), pass), real);
    }

    private Tensor Modality(long which, ForwardPass pass) => _modalities.Forward(pass.Scope.From([which], [1]), pass);
}
