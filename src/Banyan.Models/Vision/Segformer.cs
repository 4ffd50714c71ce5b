using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// SegFormer (Xie et al. 2021, arXiv:2105.15203): stages of attention, each at a coarser grid, whose keys and values are fewer than the queries; positions come from a convolution within the MLP. The
// head brings all stages to the finest grid and names a class for each place. B pictures, h x w places, C width.

/// <summary>What a stage is built from.</summary>
/// <param name="From">Channels before it.</param>
/// <param name="Width">C.</param>
/// <param name="Depth">Layers.</param>
/// <param name="Heads">H.</param>
/// <param name="Patch">Side of a patch; patches overlap.</param>
/// <param name="Stride">From patch to patch.</param>
/// <param name="Reduction">By how much the sides of the keys' grid are divided.</param>
/// <param name="Inner">Width of the MLP.</param>
public sealed record SegformerStageConfig(int From, int Width, int Depth, int Heads, int Patch, int Stride, int Reduction, int Inner)
{
    /// <summary>Reads the stages, by the keys of <c>config.json</c>.</summary>
    /// <exception cref="CheckpointException">The lists have different lengths, or heads do not divide a width.</exception>
    public static SegformerStageConfig[] Read(ConfigReader c)
    {
        int stages = c.GetInt("num_encoder_blocks", 4, min: 1, max: 64);
        int[] List(string key, int[] defaults) => ConfigChecks.Sizes(c, key, defaults) is var list && list.Length == stages ? list
            : throw new CheckpointException(c.Source, $"\"{key}\" has {list.Length} values; expected num_encoder_blocks = {stages}");
        int[] widths = List("hidden_sizes", [32, 64, 160, 256]), depths = List("depths", [2, 2, 2, 2]), heads = List("num_attention_heads", [1, 2, 5, 8]), patches = List("patch_sizes", [7, 3, 3, 3]),
            strides = List("strides", [4, 2, 2, 2]), reductions = List("sr_ratios", [8, 4, 2, 1]), ratios = List("mlp_ratios", [4, 4, 4, 4]);
        for (int i = 0; i < stages; i++)
        {
            ConfigChecks.Divides(c, $"hidden_sizes[{i}]", widths[i], "its num_attention_heads", heads[i]);
        }
        int channels = c.GetInt("num_channels", 3, min: 1, max: 1 << 12);
        return [.. Enumerable.Range(0, stages).Select(i => new SegformerStageConfig(i == 0 ? channels : widths[i - 1], widths[i], depths[i], heads[i], patches[i], strides[i], reductions[i], ratios[i] * widths[i]))];
    }
}

/// <summary>Attention of all places to a coarser grid of them.</summary>
public sealed class SegformerAttention : Module
{
    private readonly SegformerStageConfig _c;
    private readonly Linear _q, _k, _v, _out;
    private readonly Conv? _reduce;
    private readonly LayerNorm? _norm;
    private readonly double _dropout;

    internal SegformerAttention(SegformerStageConfig c, Initializer init, double dropout)
    {
        (_c, _dropout) = (c, dropout);
        Linear Project(string name) => Add(name, new Linear(c.Width, c.Width, initializer: init));
        (_q, _k, _v, _out) = (Project("self.query"), Project("self.key"), Project("self.value"), Project("output.dense"));
        _reduce = c.Reduction > 1 ? Add("self.sr", new Conv(c.Width, c.Width, [c.Reduction, c.Reduction], new ConvOptions { Stride = [c.Reduction, c.Reduction] })) : null;
        _norm = c.Reduction > 1 ? Add("self.layer_norm", new LayerNorm(c.Width)) : null;
    }

    /// <summary>x (B, h w, C) to the same.</summary>
    internal Tensor Forward(Tensor x, long high, long wide, ForwardPass pass)
    {
        int images = (int)x.Shape[0];
        Tensor source = _reduce is null ? x : _norm!.Forward(SegformerStage.Places(_reduce.Forward(SegformerStage.Grid(x, high, wide), pass)), pass);
        Tensor Heads(Linear project, Tensor t) => project.Forward(t, pass).Reshape(images * t.Shape[1], _c.Heads, _c.Width / _c.Heads);
        var options = new AttentionOptions
        {
            Layout = SequenceLayout.Batch(images, (int)x.Shape[1], (int)source.Shape[1]), Dropout = pass.Training ? _dropout : 0, Seed = pass.DropoutSeed(this),
        };
        Tensor o = Ops.Attention.Apply(Heads(_q, x), Heads(_k, source), Heads(_v, source), options);
        return pass.Visit(this, _out.Forward(o.Reshape(images, x.Shape[1], -1), pass));
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)), with a convolution between the MLP's layers.</summary>
public sealed class SegformerLayer : Module
{
    private readonly SegformerAttention _attention;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Linear _up, _down;
    private readonly Conv _mix;
    private readonly Dropout _drop;
    private readonly Func<Tensor, Tensor> _act;

    internal SegformerLayer(SegformerStageConfig c, Initializer init, string act, double dropout, double attentionDropout)
    {
        (_norm1, _norm2) = (Add("layer_norm_1", new LayerNorm(c.Width)), Add("layer_norm_2", new LayerNorm(c.Width)));
        _attention = Add("attention", new SegformerAttention(c, init, attentionDropout));
        _up = Add("mlp.dense1", new Linear(c.Width, c.Inner, initializer: init));
        _mix = Add("mlp.dwconv.dwconv", new Conv(c.Inner, c.Inner, [3, 3], new ConvOptions { Padding = [1, 1], Groups = c.Inner }));
        _down = Add("mlp.dense2", new Linear(c.Inner, c.Width, initializer: init));
        _drop = Add("dropout", new Dropout(dropout));
        _act = Activations.Get(act);
    }

    internal Tensor Forward(Tensor x, long high, long wide, ForwardPass pass)
    {
        x += _drop.Forward(_attention.Forward(_norm1.Forward(x, pass), high, wide, pass), pass);
        Tensor h = SegformerStage.Places(_mix.Forward(SegformerStage.Grid(_up.Forward(_norm2.Forward(x, pass), pass), high, wide), pass));
        return pass.Visit(this, x + _drop.Forward(_down.Forward(_drop.Forward(_act(h), pass), pass), pass));
    }
}

/// <summary>The two views of a stage's places.</summary>
internal static class SegformerStage
{
    /// <summary>(B, C, h, w) as (B, h w, C).</summary>
    public static Tensor Places(Tensor grid) => grid.Flatten(2).Transpose(1, 2);

    /// <summary>(B, h w, C) as (B, C, h, w).</summary>
    public static Tensor Grid(Tensor places, long high, long wide) => places.Transpose(1, 2).Reshape(places.Shape[0], places.Shape[2], high, wide);
}

/// <summary>SegFormer with its head: <c>SegformerForSemanticSegmentation</c>.</summary>
public sealed class Segformer : Model
{
    private const string Base = "segformer.encoder.", Head = "decode_head.";

    private readonly SegformerStageConfig[] _stages;
    private readonly (Conv Patches, LayerNorm PatchNorm, SegformerLayer[] Layers, LayerNorm Norm, Linear ToHead)[] _parts;
    private readonly Conv _fuse, _classifier;
    private readonly BatchNorm _fuseNorm;
    private readonly Dropout _drop;
    private readonly long _ignored;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Segformer(ConfigReader config) : base(config)
    {
        ConfigChecks.Only(config, "reshape_last_stage", true, "the head needs the last stage as a grid");
        _stages = SegformerStageConfig.Read(config);
        Initializer init = Initializer.Normal(config.GetDouble("initializer_range", 0.02, min: 0));
        string act = config.GetChoice("hidden_act", Activations.Names, "gelu");
        (double dropout, double attention) = (config.GetDouble("hidden_dropout_prob", 0, min: 0, max: 0.999), config.GetDouble("attention_probs_dropout_prob", 0, min: 0, max: 0.999));
        int width = config.GetInt("decoder_hidden_size", 256, min: 1, max: 1 << 20), labels = LabelConfig.Read(config).Count;
        if (labels < 2)
        {
            throw new CheckpointException(config.Source, "\"id2label\" names one class; expected two or more");
        }
        _ignored = config.GetInt("semantic_loss_ignore_index", 255);
        _parts = [.. _stages.Select((s, i) => (
            Add($"{Base}patch_embeddings.{i}.proj", new Conv(s.From, s.Width, [s.Patch, s.Patch], new ConvOptions { Stride = [s.Stride, s.Stride], Padding = [s.Patch / 2, s.Patch / 2] })),
            Add($"{Base}patch_embeddings.{i}.layer_norm", new LayerNorm(s.Width)),
            Enumerable.Range(0, s.Depth).Select(l => Add($"{Base}block.{i}.{l}", new SegformerLayer(s, init, act, dropout, attention))).ToArray(),
            Add($"{Base}layer_norm.{i}", new LayerNorm(s.Width)), Add($"{Head}linear_c.{i}.proj", new Linear(s.Width, width, initializer: init))))];
        _fuse = Add(Head + "linear_fuse", new Conv(width * _stages.Length, width, [1, 1], new ConvOptions { Bias = false }));
        _fuseNorm = Add(Head + "batch_norm", new BatchNorm(width));
        _drop = Add("dropout", new Dropout(config.GetDouble("classifier_dropout_prob", 0.1, min: 0, max: 0.999)));
        _classifier = Add(Head + "classifier", new Conv(width, labels, [1, 1]));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => [];

    /// <summary><c>pixel_values</c> (B, channels, height, width) to logits (B, classes, h, w) on the finest grid; the loss takes <c>labels</c> (B, height, width), one class for each pixel.</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor x = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        var maps = new Tensor[_parts.Length];
        for (int i = 0; i < maps.Length; i++)
        {
            var part = _parts[i];
            x = part.Patches.Forward(x, pass);
            (long high, long wide) = (x.Shape[2], x.Shape[3]);
            Tensor places = part.Layers.Aggregate(part.PatchNorm.Forward(SegformerStage.Places(x), pass), (h, layer) => layer.Forward(h, high, wide, pass));
            places = part.Norm.Forward(places, pass);
            x = SegformerStage.Grid(places, high, wide);
            Tensor map = SegformerStage.Grid(part.ToHead.Forward(places, pass), high, wide);
            maps[i] = i == 0 ? map : map.Interpolate([maps[0].Shape[2], maps[0].Shape[3]], InterpolationMode.Linear);
        }
        x = _fuseNorm.Forward(_fuse.Forward(Tensor.Cat([.. maps.Reverse()], 1), pass), pass).Relu();
        Tensor logits = _classifier.Forward(_drop.Forward(x, pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : PixelLoss(logits, pass.Scope.Use(labels))).With("logits", logits);
    }

    private Tensor PixelLoss(Tensor logits, Tensor labels) =>
        Loss.CrossEntropy(logits.Interpolate([labels.Shape[1], labels.Shape[2]], InterpolationMode.Linear), labels, ignoreIndex: _ignored);
}
