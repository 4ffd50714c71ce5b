using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ModernBERT (Warner et al. 2024, arXiv:2412.13663): an encoder with rotary positions, GeGLU and norms before each part; two of three layers see a window only.

/// <summary>Configuration of <see cref="ModernBertModel"/>, by the keys of <c>config.json</c>.</summary>
public sealed record ModernBertConfig
{
    /// <summary>Vocabulary, widths, layers, heads, positions and norms, which decoders have too.</summary>
    public required DecoderConfig Base { get; init; }

    /// <summary>Base of the angles in layers that see everything, and in those with a window.</summary>
    public required RopeParameters GlobalRope { get; init; }

    /// <summary>Base of the angles in layers with a window.</summary>
    public required RopeParameters LocalRope { get; init; }

    /// <summary>How many tokens at either side a windowed layer sees.</summary>
    public int HalfWindow { get; init; }

    /// <summary>Whether norms have biases.</summary>
    public bool NormBias { get; init; }

    /// <summary>Whether a layer has a window.</summary>
    public required IReadOnlyList<bool> IsLocal { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    public static ModernBertConfig Read(ConfigReader c)
    {
        ConfigChecks.Only(c, "decoder_bias", true, "the head's logits have a bias");
        DecoderConfig b = DecoderConfig.Read(c, new()
        {
            VocabSize = 50368, HiddenSize = 768, IntermediateSize = 1152, NumHiddenLayers = 22, NumAttentionHeads = 12, MaxPositionEmbeddings = 8192, NormEps = 1e-5, HiddenAct = "gelu", PadTokenId = 50283,
        }, new DecoderKeys(NormEps: "norm_eps", Act: "hidden_activation"));
        int every = c.GetInt("global_attn_every_n_layers", 3, min: 1);
        ConfigReader? rope = c.GetOptionalObject("rope_parameters");
        RopeParameters Rope(string kind, string old, double theta) => new()
        {
            Theta = rope?.GetOptionalObject(kind) is { } own ? Plain(own).GetDouble("rope_theta", theta) : c.GetDouble(old, theta), OriginalMaxPositions = b.MaxPositionEmbeddings,
        };
        return new()
        {
            Base = b, GlobalRope = Rope("full_attention", "global_rope_theta", 160000), LocalRope = Rope("sliding_attention", "local_rope_theta", 10000),
            HalfWindow = c.GetInt("local_attention", 128, min: 2) / 2, NormBias = c.GetBool("norm_bias", false),
            IsLocal = b.LayerTypes.Count > 0 ? [.. b.LayerTypes.Select(t => t == "sliding_attention")] : [.. Enumerable.Range(0, b.NumHiddenLayers).Select(i => i % every != 0)],
        };
    }

    private static ConfigReader Plain(ConfigReader rope)
    {
        rope.GetChoice("rope_type", ["default"], "default");
        return rope;
    }
}

/// <summary>Attention with rotary positions, both ways, within a window or without: <c>Wqkv</c>, <c>Wo</c>.</summary>
public sealed class ModernBertAttention : Module
{
    private readonly ModernBertConfig _c;
    private readonly int _layer;
    private readonly RotaryEmbedding _rotary;
    private readonly Linear _fused, _out;

    internal ModernBertAttention(ModernBertConfig c, int layer, RotaryEmbedding rotary)
    {
        (_c, _layer, _rotary) = (c, layer, rotary);
        Initializer init = Initializer.Normal(c.Base.InitializerRange);
        _fused = Add("Wqkv", new Linear(c.Base.HiddenSize, 3 * c.Base.HiddenSize, c.Base.AttentionBias, initializer: init));
        _out = Add("Wo", new Linear(c.Base.HiddenSize, c.Base.HiddenSize, c.Base.AttentionBias, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        int h = _c.Base.NumAttentionHeads;
        (Tensor q, Tensor k, Tensor v) = _fused.Forward(x, pass).Reshape(-1, 3 * h, _c.Base.HiddenSize / h).Split(1, h, h, h);
        var options = new AttentionOptions { Dropout = pass.Training ? _c.Base.AttentionDropout : 0, Seed = pass.DropoutSeed(this) };
        options.Left = options.Right = _c.IsLocal[_layer] ? _c.HalfWindow : null;
        Tensor o = batch.Attend(_layer, _rotary.Apply(q, batch), _rotary.Apply(k, batch), v, options);
        return pass.Visit(this, _out.Forward((options.Left is null ? o : Blind(o, v, batch)).Reshape(-1, _c.Base.HiddenSize), pass));
    }

    // Padding whose window holds padding only sees nothing, and its attention is 0; the reference's softmax of equal scores makes the mean of all values of it.
    private Tensor Blind(Tensor o, Tensor v, TokenBatch batch)
    {
        if (batch.Layout.KeyMask is not { } visible)
        {
            return o;
        }
        for (int s = 0; s < batch.Layout.Count; s++)
        {
            SequenceSpan span = batch.Layout[s];
            int length = (int)span.QueryLength;
            bool Sees(int t) => Enumerable.Range(Math.Max(0, t - _c.HalfWindow), Math.Min(length, t + _c.HalfWindow + 1) - Math.Max(0, t - _c.HalfWindow)).Any(j => visible[span.KeyMaskStart + j]);
            long[] blind = [.. Enumerable.Range(0, length).Where(t => span.KeyMaskStart >= 0 && !Sees(t)).Select(t => span.QueryStart + t)];
            if (blind.Length > 0)
            {
                Tensor mean = v.Slice(0, span.QueryStart, length).Mean([0], keepDim: true);
                o = o.IndexAdd(0, o.Scope!.From(blind, [blind.Length]), mean.Expand([blind.Length, v.Shape[1], v.Shape[2]]));
            }
        }
        return o;
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)); the first layer's attention has no norm before it.</summary>
public sealed class ModernBertLayer : Block
{
    private readonly ModernBertAttention _attention;
    private readonly LayerNorm? _attentionNorm;
    private readonly LayerNorm _mlpNorm;
    private readonly Linear _in, _out;
    private readonly Func<Tensor, Tensor> _act;

    internal ModernBertLayer(ModernBertConfig c, int layer, RotaryEmbedding rotary)
    {
        DecoderConfig b = c.Base;
        _attentionNorm = layer == 0 ? null : Add("attn_norm", new LayerNorm(b.HiddenSize, b.NormEps, c.NormBias));
        _attention = Add("attn", new ModernBertAttention(c, layer, rotary));
        _mlpNorm = Add("mlp_norm", new LayerNorm(b.HiddenSize, b.NormEps, c.NormBias));
        _in = Add("mlp.Wi", new Linear(b.HiddenSize, 2 * b.IntermediateSize, b.MlpBias, initializer: Initializer.Normal(b.InitializerRange)));
        _out = Add("mlp.Wo", new Linear(b.IntermediateSize, b.HiddenSize, b.MlpBias, initializer: Initializer.Normal(b.InitializerRange)));
        _act = Activations.Get(b.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm is null ? x : _attentionNorm.Forward(x, pass), batch, pass);
        Tensor[] parts = _in.Forward(_mlpNorm.Forward(x, pass), pass).Chunk(2, 1);
        return x + _out.Forward(_act(parts[0]) * parts[1], pass);
    }
}

/// <summary>Embeddings and layers: <c>model</c> in checkpoints.</summary>
public sealed class ModernBertModel : TextEncoder
{
    private readonly Embedding _embed;
    private readonly LayerNorm _embedNorm, _norm;
    private readonly ModernBertLayer[] _layers;
    private readonly RotaryEmbedding _global, _local;

    internal ModernBertModel(ConfigReader config)
    {
        Config = ModernBertConfig.Read(config);
        DecoderConfig b = Config.Base;
        (_global, _local) = (new RotaryEmbedding(Config.GlobalRope, b.HeadDim), new RotaryEmbedding(Config.LocalRope, b.HeadDim));
        _embed = Add("embeddings.tok_embeddings", new Embedding(b.VocabSize, b.HiddenSize, Initializer.Normal(b.InitializerRange), b.PadTokenId));
        _embedNorm = Add("embeddings.norm", new LayerNorm(b.HiddenSize, b.NormEps, Config.NormBias));
        _layers = [.. Enumerable.Range(0, b.NumHiddenLayers).Select(i => Add($"layers.{i}", new ModernBertLayer(Config, i, Config.IsLocal[i] ? _local : _global)))];
        _norm = Add("final_norm", new LayerNorm(b.HiddenSize, b.NormEps, Config.NormBias));
        ClassifierDropout = config.GetDouble("classifier_dropout", 0, min: 0, max: 0.999);
    }

    /// <summary>What it was built from.</summary>
    public ModernBertConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "model";

    /// <inheritdoc/>
    public override int HiddenSize => Config.Base.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout { get; }

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embed.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) =>
        HiddenStatePaths.Decoder(path + "embeddings.norm", path + "layers", Config.Base.NumHiddenLayers, path + "final_norm");

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        _global.Prepare(batch, pass);
        _local.Prepare(batch, pass);
        Tensor x = _embedNorm.Forward(_embed.Forward(batch.Ids, pass), pass);   // (T, C)
        foreach (ModernBertLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return _norm.Forward(x, pass);
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => null;
}

internal static class ModernBertHeads
{
    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        var model = (ModernBertModel)encoder;
        return new MaskedHead(encoder, new("head.dense", "head.norm", "decoder.bias", DenseBias: false, NormBias: model.Config.NormBias), Activations.Get("gelu"), model.Config.Base.NormEps, model.Config.Base.InitializerRange);
    }
}
