using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DeBERTa V2 and V3 (He et al. 2021, arXiv:2006.03654 and 2111.09543): content and position apart. A score is content with content, content with the distance, and the
// distance with content; far distances share buckets that grow like a logarithm.

/// <summary>Disentangled attention: <c>query_proj</c>, <c>key_proj</c>, <c>value_proj</c>, which project the distances too.</summary>
public sealed class DebertaV2Attention : Module
{
    private readonly EncoderConfig _c;
    private readonly DebertaV2Positions _p;
    private readonly Linear _q, _k, _v;

    internal DebertaV2Attention(EncoderConfig c, DebertaV2Positions p)
    {
        (_c, _p) = (c, p);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _q = Add("query_proj", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _k = Add("key_proj", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _v = Add("value_proj", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Heads(Linear project, Tensor from) => project.Forward(from, pass).Reshape(-1, _c.NumAttentionHeads, _c.HiddenSize / _c.NumAttentionHeads).Transpose(0, 1);   // (H, T, D)
        Tensor q = Heads(_q, x), k = Heads(_k, x), v = Heads(_v, x), distances = _p.Table(pass), distanceKeys = Heads(_k, distances), distanceQueries = Heads(_q, distances);
        var rows = new Tensor[batch.Layout.Count];
        for (int s = 0; s < rows.Length; s++)
        {
            SequenceSpan span = batch.Layout[s];
            Tensor Own(Tensor t) => t.Slice(1, span.QueryStart, span.QueryLength);
            Tensor buckets = _p.Buckets((int)span.QueryLength, pass.Scope).Expand([_c.NumAttentionHeads, span.QueryLength, span.QueryLength]);
            Tensor scores = Own(q).MatMul(Own(k).Transpose(1, 2)) + Own(q).MatMul(distanceKeys.Transpose(1, 2)).Gather(2, buckets)
                + Own(k).MatMul(distanceQueries.Transpose(1, 2)).Gather(2, buckets.Transpose(1, 2)).Transpose(1, 2);
            scores *= 1 / Math.Sqrt(3.0 * _c.HiddenSize / _c.NumAttentionHeads);
            Tensor weights = PairMask.Apply(scores, batch.Layout, span).Softmax(-1);
            weights = pass.Training ? weights.Dropout(_c.AttentionProbsDropoutProb, (long)pass.DropoutSeed(this), (uint)s, 0) : weights;
            rows[s] = weights.MatMul(Own(v)).Transpose(0, 1).Reshape(span.QueryLength, _c.HiddenSize);
        }
        return pass.Visit(this, rows.Length == 1 ? rows[0] : Tensor.Cat(rows, 0));
    }
}

/// <summary>The embeddings of distances, which all layers share, and their buckets.</summary>
public sealed class DebertaV2Positions : Module
{
    private readonly Parameter _weight;
    private readonly LayerNorm? _norm;
    private readonly int _span, _buckets, _furthest;

    internal DebertaV2Positions(EncoderConfig c, ConfigReader config)
    {
        int furthest = config.GetInt("max_relative_positions", -1);
        (_buckets, _furthest) = (config.GetInt("position_buckets", -1), furthest < 1 ? c.MaxPositionEmbeddings : furthest);
        _span = _buckets > 0 ? _buckets : _furthest;
        _weight = Add("rel_embeddings.weight", [2 * _span, c.HiddenSize], Initializer.Normal(c.InitializerRange));
        _norm = config.GetString("norm_rel_ebd", "none").Contains("layer_norm", StringComparison.Ordinal) ? Add("LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps)) : null;
    }

    internal Tensor Table(ForwardPass pass) => _norm is null ? pass.Scope.Use(_weight) : _norm.Forward(pass.Scope.Use(_weight), pass);

    /// <summary>(T, T), int64: the row of the table for query i and key j.</summary>
    internal Tensor Buckets(int length, Scope scope)
    {
        var rows = new long[length * length];
        for (int at = 0; at < rows.Length; at++)
        {
            rows[at] = Math.Clamp(Bucket(at / length - at % length) + _span, 0, 2 * _span - 1);
        }
        return scope.From(rows, [length, length]);
    }

    private int Bucket(int distance)
    {
        int middle = _buckets / 2, apart = Math.Abs(distance);
        return _buckets <= 0 || apart <= middle ? distance
            : Math.Sign(distance) * ((int)Math.Ceiling(Math.Log((double)apart / middle) / Math.Log((_furthest - 1.0) / middle) * (middle - 1)) + middle);
    }
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class DebertaV2Layer : Block
{
    private readonly DebertaV2Attention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal DebertaV2Layer(EncoderConfig c, DebertaV2Positions p)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new DebertaV2Attention(c, p));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("dropout1", new Dropout(c.HiddenDropoutProb));
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop2 = Add("dropout2", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _norm1.Forward(x + _drop1.Forward(_out.Forward(_attention.Forward(x, batch, pass), pass), pass), pass);
        return _norm2.Forward(x + _drop2.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass), pass);
    }
}

/// <summary>Embeddings and layers: <c>deberta</c> in checkpoints.</summary>
public sealed class DebertaV2Model : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly DebertaV2Positions _positions;
    private readonly DebertaV2Layer[] _layers;

    internal DebertaV2Model(ConfigReader config)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 128100, HiddenSize = 1536, IntermediateSize = 6144, NumHiddenLayers = 24, NumAttentionHeads = 24, LayerNormEps = 1e-7, TypeVocabSize = 1 });
        Require(config, "relative_attention", config.GetBool("relative_attention", false), "true");
        Require(config, "share_att_key", config.GetBool("share_att_key", false), "true");
        Require(config, "position_biased_input", !config.GetBool("position_biased_input", true), "false");
        Require(config, "type_vocab_size", c.TypeVocabSize == 0, "0");
        config.GetChoice("norm_rel_ebd", ["none", "layer_norm"], "none");
        Require(config, "conv_kernel_size", config.GetInt("conv_kernel_size", 0) == 0, "0");
        string[] kinds = config.Has("pos_att_type") && config.GetStrings("pos_att_type") is [var one] ? one.Split('|') : config.GetStrings("pos_att_type");
        Require(config, "pos_att_type", kinds.Contains("c2p") && kinds.Contains("p2c"), "c2p and p2c");
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, segments: false, positions: false));
        _positions = Add("encoder", new DebertaV2Positions(c, config));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new DebertaV2Layer(c, _positions)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "deberta";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "masked", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = pass.Visit(this, "masked", batch.ZeroPadding(_embeddings.Forward(batch, pass)));   // (T, C)
        foreach (DebertaV2Layer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => null;

    // Weights of tasks that were not asked for may lie beside the encoder.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("cls.", StringComparison.Ordinal) || checkpointName.StartsWith("lm_predictions.", StringComparison.Ordinal)
        || checkpointName.StartsWith("mask_predictions.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal);

    private static void Require(ConfigReader config, string key, bool holds, string expected)
    {
        if (!holds)
        {
            throw new CheckpointException(config.Source, $"\"{key}\" must be {expected}: other kinds of DeBERTa are not supported");
        }
    }
}

internal static class DebertaV2Heads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((DebertaV2Model)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
