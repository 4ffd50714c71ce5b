using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DETR (Carion et al. 2020, arXiv:2005.12872): a ResNet sees, an encoder mixes the places of its last feature map, and a decoder asks it with learned queries, each of which tells of one object or of
// nothing. B pictures, h x w places, Q queries, C width.

/// <summary>Attention whose queries and keys, but not its values, know where they are.</summary>
public sealed class DetrAttention : Module
{
    private readonly Seq2SeqConfig _c;
    private readonly int _heads;
    private readonly Linear _q, _k, _v, _out;

    internal DetrAttention(Seq2SeqConfig c, int heads)
    {
        (_c, _heads) = (c, heads);
        Linear Project(string name) => Add(name, new Linear(c.DModel, c.DModel, initializer: Initializer.Normal(c.InitStd)));
        (_k, _v, _q, _out) = (Project("k_proj"), Project("v_proj"), Project("q_proj"), Project("out_proj"));
    }

    /// <summary>Queries (B n, C), keys and values (B m, C) to (B n, C).</summary>
    internal Tensor Forward(Tensor queries, Tensor keys, Tensor values, SequenceLayout layout, ForwardPass pass)
    {
        Tensor Heads(Linear project, Tensor x) => project.Forward(x, pass).Reshape(x.Shape[0], _heads, _c.DModel / _heads);
        var options = new AttentionOptions { Layout = layout, Dropout = pass.Training ? _c.AttentionDropout : 0, Seed = pass.DropoutSeed(this) };
        Tensor o = Ops.Attention.Apply(Heads(_q, queries), Heads(_k, keys), Heads(_v, values), options);
        return pass.Visit(this, _out.Forward(o.Reshape(queries.Shape[0], -1), pass));
    }
}

/// <summary>norm(x + attention(x)), in the decoder norm(x + attention to the source(x)), then norm(x + mlp(x)).</summary>
public sealed class DetrLayer : Module
{
    private readonly DetrAttention _self;
    private readonly DetrAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal DetrLayer(Seq2SeqConfig c, bool decoder)
    {
        int heads = decoder ? c.DecoderAttentionHeads : c.EncoderAttentionHeads;
        _self = Add("self_attn", new DetrAttention(c, heads));
        _selfNorm = Add("self_attn_layer_norm", new LayerNorm(c.DModel));
        _source = decoder ? Add("encoder_attn", new DetrAttention(c, heads)) : null;
        _sourceNorm = decoder ? Add("encoder_attn_layer_norm", new LayerNorm(c.DModel)) : null;
        _mlp = Add("", new Seq2SeqMlp(c, decoder ? c.DecoderFfnDim : c.EncoderFfnDim));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.DModel));
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    internal Tensor Forward(Tensor x, Tensor places, SequenceLayout layout, (Tensor Values, Tensor Places, SequenceLayout Layout)? source, ForwardPass pass)
    {
        Tensor at = x + places;
        x = _selfNorm.Forward(x + _drop.Forward(_self.Forward(at, at, x, layout, pass), pass), pass);
        if (source is { } s)
        {
            x = _sourceNorm!.Forward(x + _drop.Forward(_source!.Forward(x + places, s.Values + s.Places, s.Values, s.Layout, pass), pass), pass);
        }
        return pass.Visit(this, _mlpNorm.Forward(x + _drop.Forward(_mlp.Forward(x, pass), pass), pass));
    }
}

/// <summary>DETR: <c>DetrForObjectDetection</c>, with a ResNet of this library as its backbone.</summary>
public sealed class Detr : Model
{
    private readonly Seq2SeqConfig _c;
    private readonly ResNetModel _backbone;
    private readonly Conv _project;
    private readonly Parameter _queries;
    private readonly DetrLayer[] _encoder, _decoder;
    private readonly LayerNorm _norm;
    private readonly Linear _classHead;
    private readonly SetHead _boxHead;
    private readonly SetLoss _loss;
    private readonly int _count;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Detr(ConfigReader config) : base(config)
    {
        ConfigChecks.Only(config, "use_timm_backbone", false, "the backbone must be a ResNet under this library's names (the checkpoints' revision \"no_timm\")");
        ConfigChecks.Only(config, "dilation", false, "a backbone whose last stage is dilated is not supported");
        config.GetChoice("position_embedding_type", ["sine"], "sine");
        ConfigReader backbone = config.GetObject("backbone_config");
        backbone.GetChoice("model_type", ["resnet"], "resnet");
        if (config.GetInt("num_channels", 3) is var channels && channels != backbone.GetInt("num_channels", 3))
        {
            throw new CheckpointException(config.Source, $"\"num_channels\" is {channels}; expected {backbone.GetInt("num_channels", 3)}, the backbone's");
        }
        ResNetConfig r = ResNetConfig.Read(backbone) with { IsFrozen = true };
        _c = Seq2SeqConfig.Read(config, new() { DModel = 256, EncoderLayers = 6, DecoderLayers = 6, EncoderAttentionHeads = 8, DecoderAttentionHeads = 8, EncoderFfnDim = 2048, DecoderFfnDim = 2048, ActivationFunction = "relu" });
        ConfigChecks.Divides(config, "d_model", _c.DModel, "sines and cosines in two directions", 4);
        (_loss, _count) = (SetLoss.Read(config), config.GetInt("num_queries", 100, min: 1, max: 1 << 16));
        _backbone = Add("model.backbone.conv_encoder.model", new ResNetModel(r));
        _project = Add("model.input_projection", new Conv(r.HiddenSizes[^1], _c.DModel, [1, 1]));
        _queries = Add("model.query_position_embeddings", new Embedding(_count, _c.DModel, Initializer.Normal(_c.InitStd))).Weight;
        _encoder = [.. Enumerable.Range(0, _c.EncoderLayers).Select(i => Add($"model.encoder.layers.{i}", new DetrLayer(_c, decoder: false)))];
        _decoder = [.. Enumerable.Range(0, _c.DecoderLayers).Select(i => Add($"model.decoder.layers.{i}", new DetrLayer(_c, decoder: true)))];
        _norm = Add("model.decoder.layernorm", new LayerNorm(_c.DModel));
        _classHead = Add("class_labels_classifier", new Linear(_c.DModel, _loss.Labels + 1, initializer: Initializer.Normal(_c.InitStd)));
        _boxHead = Add("bbox_predictor", new SetHead(_c.DModel, 4, _c.InitStd));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => [];

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("num_batches_tracked", StringComparison.Ordinal);

    /// <summary><c>pixel_values</c> (B, channels, height, width), with <c>pixel_mask</c> (B, height, width) where pictures are smaller than that, and perhaps the objects (see <see cref="SetLoss"/>).</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor? mask = inputs.Find("pixel_mask");
        Tensor map = _backbone.Forward(pixels, pass);                                                // (B, K, h, w)
        (int images, int places) = ((int)map.Shape[0], (int)(map.Shape[2] * map.Shape[3]));
        Tensor grid = mask is null ? pass.Scope.Zeros([images, map.Shape[2], map.Shape[3]]) + 1
            : pass.Scope.Use(mask).To(DType.Float32).Unsqueeze(1).Interpolate([map.Shape[2], map.Shape[3]]).Squeeze(1);
        bool[] visible = Array.ConvertAll(grid.ToDoubles(), v => v != 0);
        Tensor at = Waves(grid).Reshape(images * places, -1);
        Tensor Flat(Tensor x) => x.Reshape(images, _c.DModel, places).Transpose(1, 2).Reshape(images * places, _c.DModel);
        Tensor source = Flat(_project.Forward(map, pass));
        SequenceLayout among = SequenceLayout.Batch(images, places, visible);
        source = _encoder.Aggregate(source, (x, layer) => layer.Forward(x, at, among, null, pass));
        Tensor queries = pass.Scope.Use(_queries.Value.To(DType.Float32)).Unsqueeze(0).Expand([images, _count, _c.DModel]).Reshape(images * _count, _c.DModel);
        SequenceLayout own = SequenceLayout.Batch(images, _count), toSource = SequenceLayout.Batch(images, _count, places, visible);
        Tensor found = _decoder.Aggregate(queries * 0, (x, layer) => layer.Forward(x, queries, own, (source, at, toSource), pass));
        found = _norm.Forward(found, pass).Reshape(images, _count, -1);
        return _loss.Outputs(_classHead.Forward(found, pass), _boxHead.Forward(found, pass).Sigmoid(), inputs, pass).With("last_hidden_state", found)
            .With("encoder_last_hidden_state", source.Reshape(images, places, -1));
    }

    // Sines and cosines of the row, then of the column, as shares of what is real of the picture: (B, h, w, C).
    private Tensor Waves(Tensor grid)
    {
        int half = _c.DModel / 2;
        Tensor frequencies = grid.Scope!.From<float>([.. Enumerable.Range(0, half / 2).Select(i => (float)Math.Pow(10000, -2.0 * i / half))], [half / 2]);
        Tensor Along(int dim)
        {
            Tensor sum = grid.CumSum(dim), position = sum / (sum.Slice(dim, sum.Shape[dim] - 1, 1) + 1e-6) * (2 * Math.PI), angles = position.Unsqueeze(3) * frequencies;
            return Tensor.Stack([angles.Sin(), angles.Cos()], 4).Reshape(grid.Shape[0], grid.Shape[1], grid.Shape[2], half);
        }
        return Tensor.Cat([Along(1), Along(2)], 3);
    }
}
