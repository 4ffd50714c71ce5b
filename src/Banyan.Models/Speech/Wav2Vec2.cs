using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// wav2vec 2.0 (Baevski et al. 2020, arXiv:2006.11477) and HuBERT (Hsu et al. 2021, arXiv:2106.07447): convolutions turn a sound wave into frames, an encoder reads them, and each frame names a
// character or none (CTC). Both have the same network. B sounds of S samples, F frames of width C.

/// <summary>Configuration of <see cref="Wav2Vec2"/>, by the keys of <c>config.json</c>.</summary>
public sealed record Wav2Vec2Config
{
    /// <summary>Channels of each convolution. Default: 512, seven times.</summary>
    public IReadOnlyList<int> ConvDim { get; init; } = [512, 512, 512, 512, 512, 512, 512];

    /// <summary>Kernel of each convolution. Default: 10, 3, 3, 3, 3, 2, 2.</summary>
    public IReadOnlyList<int> ConvKernel { get; init; } = [10, 3, 3, 3, 3, 2, 2];

    /// <summary>Stride of each convolution. Default: 5, 2, 2, 2, 2, 2, 2.</summary>
    public IReadOnlyList<int> ConvStride { get; init; } = [5, 2, 2, 2, 2, 2, 2];

    /// <summary>Whether the convolutions have biases. Default: false.</summary>
    public bool ConvBias { get; init; }

    /// <summary>True: a norm over channels behind every convolution; false: one over time behind the first. Default: false.</summary>
    public bool NormsEachConvolution { get; init; }

    /// <summary>Activation of the convolutions. Default: gelu.</summary>
    public string FeatExtractActivation { get; init; } = "gelu";

    /// <summary>Whether frames are normed before they are projected. Default: true.</summary>
    public bool FeatProjLayerNorm { get; init; } = true;

    /// <summary>Dropout of projected frames. Default: 0, in training only.</summary>
    public double FeatProjDropout { get; init; }

    /// <summary>Kernel of the convolution that tells places. Default: 128.</summary>
    public int NumConvPosEmbeddings { get; init; } = 128;

    /// <summary>Its groups. Default: 16.</summary>
    public int NumConvPosEmbeddingGroups { get; init; } = 16;

    /// <summary>Whether norms stand before attention and MLP instead of behind them. Default: false.</summary>
    public bool DoStableLayerNorm { get; init; }

    /// <summary>Dropout within MLPs. Default: 0.1, in training only.</summary>
    public double ActivationDropout { get; init; } = 0.1;

    /// <summary>Dropout before the head. Default: 0.1, in training only.</summary>
    public double FinalDropout { get; init; } = 0.1;

    /// <summary>Widths, heads, layers of the encoder.</summary>
    public required EncoderConfig Encoder { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    public static Wav2Vec2Config Read(ConfigReader c)
    {
        int[] channels = ConfigChecks.Sizes(c, "conv_dim", [512, 512, 512, 512, 512, 512, 512]), kernels = ConfigChecks.Sizes(c, "conv_kernel", [10, 3, 3, 3, 3, 2, 2]), strides = ConfigChecks.Sizes(c, "conv_stride", [5, 2, 2, 2, 2, 2, 2]);
        int count = c.GetInt("num_feat_extract_layers", channels.Length, min: 1);
        if (count != channels.Length || count != kernels.Length || count != strides.Length)
        {
            throw new CheckpointException(c.Source, $"\"conv_dim\" has {channels.Length} values, \"conv_kernel\" {kernels.Length}, \"conv_stride\" {strides.Length} and \"num_feat_extract_layers\" is {count}; expected as many");
        }
        ConfigChecks.Only(c, "add_adapter", false, "adapters between encoder and head are not supported");
        ConfigChecks.Only(c, "conv_pos_batch_norm", false, "the convolution of places has a norm of its weight");
        if (c.Has("adapter_attn_dim"))
        {
            throw new CheckpointException(c.Source, "\"adapter_attn_dim\" is set; expected null: adapters within attention are not supported");
        }
        int width = c.GetInt("hidden_size", 768, min: 1, max: 1 << 16), groups = c.GetInt("num_conv_pos_embedding_groups", 16, min: 1);
        ConfigChecks.Divides(c, "hidden_size", width, "num_conv_pos_embedding_groups", groups);
        return new Wav2Vec2Config
        {
            ConvDim = channels,
            ConvKernel = kernels,
            ConvStride = strides,
            ConvBias = c.GetBool("conv_bias", false),
            NormsEachConvolution = c.GetChoice("feat_extract_norm", ["group", "layer"], "group") == "layer",
            FeatExtractActivation = c.GetChoice("feat_extract_activation", Activations.Names, "gelu"),
            FeatProjLayerNorm = c.GetBool("feat_proj_layer_norm", true),
            FeatProjDropout = c.GetDouble("feat_proj_dropout", 0, min: 0, max: 0.999),
            NumConvPosEmbeddings = c.GetInt("num_conv_pos_embeddings", 128, min: 1, max: 1 << 12),
            NumConvPosEmbeddingGroups = groups,
            DoStableLayerNorm = c.GetBool("do_stable_layer_norm", false),
            ActivationDropout = c.GetDouble("activation_dropout", 0.1, min: 0, max: 0.999),
            FinalDropout = c.GetDouble("final_dropout", 0.1, min: 0, max: 0.999),
            Encoder = EncoderConfig.Read(c, new()) with
            {
                LayerNormEps = c.GetDouble("layer_norm_eps", 1e-5, min: 0), HiddenDropoutProb = c.GetDouble("hidden_dropout", 0.1, min: 0, max: 0.999), AttentionProbsDropoutProb = c.GetDouble("attention_dropout", 0.1, min: 0, max: 0.999),
            },
        };
    }

    /// <summary>Frames of a sound of so many samples.</summary>
    public int Frames(int samples) => ConvKernel.Zip(ConvStride).Aggregate(samples, (length, conv) => Math.Max(0, (length - conv.First) / conv.Second + 1));
}

/// <summary>A convolution over time, a norm, an activation.</summary>
public sealed class SoundConvolution : Module
{
    private readonly Conv _conv;
    private readonly GroupNorm? _overTime;
    private readonly LayerNorm? _overChannels;
    private readonly Func<Tensor, Tensor> _act;

    internal SoundConvolution(Wav2Vec2Config c, int index)
    {
        int from = index == 0 ? 1 : c.ConvDim[index - 1], to = c.ConvDim[index];
        _conv = Add("conv", new Conv(from, to, [c.ConvKernel[index]], new ConvOptions { Stride = [c.ConvStride[index]], Bias = c.ConvBias }));
        _overChannels = c.NormsEachConvolution ? Add("layer_norm", new LayerNorm(to)) : null;
        _overTime = !c.NormsEachConvolution && index == 0 ? Add("layer_norm", new GroupNorm(to, to)) : null;
        _act = Activations.Get(c.FeatExtractActivation);
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        x = _conv.Forward(x, pass);
        x = _overTime is not null ? _overTime.Forward(x, pass) : _overChannels is not null ? _overChannels.Forward(x.Transpose(1, 2), pass).Transpose(1, 2) : x;
        return pass.Visit(this, _act(x));
    }
}

/// <summary>A wide convolution whose result, added to the frames, tells where they stand. Its weight is normed for each place of the kernel (Salimans and Kingma 2016, arXiv:1602.07868).</summary>
public sealed class SoundPositions : Module
{
    private readonly Parameter _length, _direction, _bias;
    private readonly int _kernel, _groups;
    private readonly Func<Tensor, Tensor> _act;

    internal SoundPositions(Wav2Vec2Config c)
    {
        (int width, _kernel, _groups) = (c.Encoder.HiddenSize, c.NumConvPosEmbeddings, c.NumConvPosEmbeddingGroups);
        double std = 2 * Math.Sqrt(1.0 / (_kernel * width));
        _bias = Add("conv.bias", [width], Initializer.Zeros);
        _length = Add("conv.parametrizations.weight.original0", [1, 1, _kernel], Initializer.Constant(std * width / Math.Sqrt(_groups)));
        _direction = Add("conv.parametrizations.weight.original1", [width, width / _groups, _kernel], Initializer.Normal(std));
        _act = Activations.Get(c.FeatExtractActivation);
    }

    /// <summary>(B, F, C) to (B, F, C).</summary>
    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor v = pass.Scope.Use(_direction), weight = v * (pass.Scope.Use(_length) / v.VectorNorm([0, 1], 2, keepDim: true));
        Tensor y = x.Transpose(1, 2).Conv(weight, pass.Scope.Use(_bias), padding: [_kernel / 2], groups: _groups);
        return pass.Visit(this, _act(y.Slice(2, 0, x.Shape[1]).Transpose(1, 2)));   // an even kernel gives one frame too many
    }
}

/// <summary>Attention and MLP, with norms behind them or before them.</summary>
public sealed class Wav2Vec2Layer : Block
{
    private readonly bool _before;
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm, _finalNorm;
    private readonly Dropout _drop, _innerDrop;
    private readonly Func<Tensor, Tensor> _act;

    internal Wav2Vec2Layer(Wav2Vec2Config c, int layer)
    {
        EncoderConfig e = c.Encoder;
        Initializer init = Initializer.Normal(e.InitializerRange);
        _before = c.DoStableLayerNorm;
        _attention = Add("attention", new EncoderAttention(e, layer, "q_proj", "k_proj", "v_proj"));
        _out = Add("attention.out_proj", new Linear(e.HiddenSize, e.HiddenSize, initializer: init));
        _norm = Add("layer_norm", new LayerNorm(e.HiddenSize, e.LayerNormEps));
        _up = Add("feed_forward.intermediate_dense", new Linear(e.HiddenSize, e.IntermediateSize, initializer: init));
        _down = Add("feed_forward.output_dense", new Linear(e.IntermediateSize, e.HiddenSize, initializer: init));
        _finalNorm = Add("final_layer_norm", new LayerNorm(e.HiddenSize, e.LayerNormEps));
        (_drop, _innerDrop) = (Add("dropout", new Dropout(e.HiddenDropoutProb)), Add("feed_forward.intermediate_dropout", new Dropout(c.ActivationDropout)));
        _act = Activations.Get(e.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Attend(Tensor h) => _drop.Forward(_out.Forward(_attention.Forward(h, batch, pass), pass), pass);
        Tensor Mlp(Tensor h) => _drop.Forward(_down.Forward(_innerDrop.Forward(_act(_up.Forward(h, pass)), pass), pass), pass);
        if (_before)
        {
            x += Attend(_norm.Forward(x, pass));
            return x + Mlp(_finalNorm.Forward(x, pass));
        }
        x = _norm.Forward(x + Attend(x), pass);
        return _finalNorm.Forward(x + Mlp(x), pass);
    }
}

/// <summary>wav2vec 2.0 or HuBERT with a head that names the character of each frame: <c>Wav2Vec2ForCTC</c>, <c>HubertForCTC</c>.</summary>
public sealed class Wav2Vec2 : Model
{
    private readonly string _base;
    private readonly SoundConvolution[] _convolutions;
    private readonly LayerNorm? _featureNorm;
    private readonly Linear _project, _head;
    private readonly SoundPositions _positions;
    private readonly Wav2Vec2Layer[] _layers;
    private readonly LayerNorm _norm;
    private readonly Dropout _featureDrop, _drop, _finalDrop;
    private readonly int _blank;
    private readonly bool _sums, _forgives;

    /// <summary>A model without weights; initialise or load it.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="name">The name of the part below the head: <c>wav2vec2</c> or <c>hubert</c>.</param>
    public Wav2Vec2(ConfigReader config, string name) : base(config)
    {
        Wav2Vec2Config c = Config = Wav2Vec2Config.Read(config);
        EncoderConfig e = c.Encoder;
        _base = name + ".";
        (_blank, _sums, _forgives) = (config.GetInt("pad_token_id", 0, min: 0), config.GetChoice("ctc_loss_reduction", ["sum", "mean"], "sum") == "sum", config.GetBool("ctc_zero_infinity", false));
        _convolutions = [.. Enumerable.Range(0, c.ConvDim.Count).Select(i => Add($"{_base}feature_extractor.conv_layers.{i}", new SoundConvolution(c, i)))];
        _featureNorm = c.FeatProjLayerNorm ? Add(_base + "feature_projection.layer_norm", new LayerNorm(c.ConvDim[^1], e.LayerNormEps)) : null;
        _project = Add(_base + "feature_projection.projection", new Linear(c.ConvDim[^1], e.HiddenSize));
        _featureDrop = Add(_base + "feature_projection.dropout", new Dropout(c.FeatProjDropout));
        _positions = Add(_base + "encoder.pos_conv_embed", new SoundPositions(c));
        _norm = Add(_base + "encoder.layer_norm", new LayerNorm(e.HiddenSize, e.LayerNormEps));
        _drop = Add(_base + "encoder.dropout", new Dropout(e.HiddenDropoutProb));
        _layers = [.. Enumerable.Range(0, e.NumHiddenLayers).Select(i => Add($"{_base}encoder.layers.{i}", new Wav2Vec2Layer(c, i)))];
        _finalDrop = Add("dropout", new Dropout(c.FinalDropout));
        _head = Add("lm_head", new Linear(e.HiddenSize, e.VocabSize, initializer: Initializer.Normal(e.InitializerRange)));
    }

    /// <summary>What it was built from.</summary>
    public Wav2Vec2Config Config { get; }

    /// <inheritdoc/>
    public override string BasePrefix => _base;

    // Pretraining masks frames by a vector that reading does not need.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName == _base + "masked_spec_embed";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        HiddenStatePaths.Encoder(_base + "encoder.dropout", _base + "encoder.layers", Config.Encoder.NumHiddenLayers);

    /// <summary><c>input_values</c> (B, S), perhaps <c>attention_mask</c> (B, S) and <c>labels</c> (B, L), negative where there are none, to logits (B, F, vocabulary).</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor wave = pass.Scope.Use(inputs.Require("input_values"));
        Tensor? mask = inputs.Find("attention_mask"), labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor x = _convolutions.Aggregate(wave.Unsqueeze(1), (h, conv) => conv.Forward(h, pass)).Transpose(1, 2);   // (B, F, channels)
        (long sounds, long frames) = (x.Shape[0], x.Shape[1]);
        int[] lengths = mask is null ? [.. Enumerable.Repeat((int)frames, (int)sounds)] : [.. mask.Sum(1).ToDoubles().Select(n => Config.Frames((int)n))];
        x = _featureDrop.Forward(_project.Forward(_featureNorm is null ? x : _featureNorm.Forward(x, pass), pass), pass);
        float[] real = [.. lengths.SelectMany(n => Enumerable.Range(0, (int)frames).Select(f => f < n ? 1f : 0f))];
        Tensor? frameMask = mask is null ? null : pass.Scope.Use(Tensor.From(real, [sounds, frames]));
        x = frameMask is null ? x : x * frameMask.Unsqueeze(-1);
        x += _positions.Forward(x, pass);
        x = _drop.Forward((Config.DoStableLayerNorm ? x : _norm.Forward(x, pass)).Reshape(sounds * frames, -1), pass);
        TokenBatch batch = TokenBatch.Rectangle(pass.Scope.Zeros([sounds, frames], DType.Int64), frameMask, null, pass.Scope);
        x = _layers.Aggregate(x, (h, layer) => layer.Run(h, batch, pass));
        x = Config.DoStableLayerNorm ? _norm.Forward(x, pass) : x;
        Tensor logits = _head.Forward(_finalDrop.Forward(x, pass), pass).Reshape(sounds, frames, -1);
        return new ModelOutputs().With("loss", labels is null ? null : Ctc(logits, labels, lengths)).With("logits", logits);
    }

    private Tensor Ctc(Tensor logits, Tensor labels, int[] lengths)
    {
        int perRow = (int)labels.Shape[1];
        long[] all = [.. labels.ToDoubles().Select(l => (long)l)];
        long[] counts = [.. Enumerable.Range(0, lengths.Length).Select(b => (long)all.Skip(b * perRow).Take(perRow).Count(l => l >= 0))];
        Tensor targets = Tensor.From([.. all.Where(l => l >= 0)], [counts.Sum()]), frames = Tensor.From(Array.ConvertAll(lengths, n => (long)n));
        return Loss.Ctc(logits.LogSoftmax(-1).Transpose(0, 1), targets, frames, Tensor.From(counts), _blank, _forgives, _sums ? Reduction.Sum : Reduction.Mean);
    }
}
