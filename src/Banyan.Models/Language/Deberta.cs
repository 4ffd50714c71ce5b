using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DeBERTa (He et al. 2020, arXiv:2006.03654): content and position apart. A score is content with content, content with the distance (c2p), and the distance with content (p2c);
// distances have embeddings and layers of their own. Unlike in its second version every distance up to the furthest has a row, and q, k, v of a head lie together in one layer.

/// <summary>Disentangled attention: <c>in_proj</c> holds q, k and v head by head, <c>pos_proj</c> and <c>pos_q_proj</c> make keys and queries of distances.</summary>
public sealed class DebertaAttention : Module
{
    private readonly EncoderConfig _c;
    private readonly DebertaPositions _p;
    private readonly Linear _qkv;
    private readonly Parameter _qBias, _vBias;
    private readonly Linear? _distanceKeys, _distanceQueries;
    private readonly Dropout _drop;

    internal DebertaAttention(EncoderConfig c, DebertaPositions p)
    {
        (_c, _p) = (c, p);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _qkv = Add("in_proj", new Linear(c.HiddenSize, 3 * c.HiddenSize, bias: false, initializer: init));
        _qBias = Add("q_bias", [c.HiddenSize], Initializer.Zeros);
        _vBias = Add("v_bias", [c.HiddenSize], Initializer.Zeros);
        _distanceKeys = p.HasKeys ? Add("pos_proj", new Linear(c.HiddenSize, c.HiddenSize, bias: false, initializer: init)) : null;
        _distanceQueries = p.HasQueries ? Add("pos_q_proj", new Linear(c.HiddenSize, c.HiddenSize, initializer: init)) : null;
        _drop = Add("pos_dropout", new Dropout(c.HiddenDropoutProb));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        int heads = _c.NumAttentionHeads, width = _c.HiddenSize / heads;
        Tensor Heads(Tensor from) => from.Reshape(-1, heads, width).Transpose(0, 1);                         // (H, T, D)
        Tensor[] qkv = _qkv.Forward(x, pass).Reshape(-1, heads, 3 * width).Split([width, width, width], 2);
        double scale = 1 / Math.Sqrt(width * (1.0 + (_p.HasKeys ? 1 : 0) + (_p.HasQueries ? 1 : 0)));
        Tensor q = Heads((qkv[0].Reshape(-1, _c.HiddenSize) + pass.Scope.Use(_qBias)) * scale), k = Heads(qkv[1]), v = Heads(qkv[2].Reshape(-1, _c.HiddenSize) + pass.Scope.Use(_vBias));
        Tensor distances = _drop.Forward(_p.Table(pass), pass);                                              // (2 span, C)
        Tensor? distanceKeys = _distanceKeys is null ? null : Heads(_distanceKeys.Forward(distances, pass));
        Tensor? distanceQueries = _distanceQueries is null ? null : Heads(_distanceQueries.Forward(distances, pass) * scale);
        var rows = new Tensor[batch.Layout.Count];
        for (int s = 0; s < rows.Length; s++)
        {
            SequenceSpan span = batch.Layout[s];
            Tensor Own(Tensor t) => t.Slice(1, span.QueryStart, span.QueryLength);
            Tensor places = _p.Places((int)span.QueryLength, pass.Scope).Expand([heads, span.QueryLength, span.QueryLength]);
            Tensor scores = Own(q).MatMul(Own(k).Transpose(1, 2));                                           // (H, T, T)
            scores = distanceKeys is null ? scores : scores + Own(q).MatMul(distanceKeys.Transpose(1, 2)).Gather(2, places);
            scores = distanceQueries is null ? scores : scores + Own(k).MatMul(distanceQueries.Transpose(1, 2)).Gather(2, places.Transpose(1, 2)).Transpose(1, 2);
            Tensor weights = PairMask.Apply(scores, batch.Layout, span).Softmax(-1);
            weights = pass.Training ? weights.Dropout(_c.AttentionProbsDropoutProb, (long)pass.DropoutSeed(this), (uint)s, 0) : weights;
            rows[s] = weights.MatMul(Own(v)).Transpose(0, 1).Reshape(span.QueryLength, _c.HiddenSize);
        }
        return pass.Visit(this, rows.Length == 1 ? rows[0] : Tensor.Cat(rows, 0));
    }
}

/// <summary>The embeddings of distances, which all layers share: a row for each of -span .. span - 1.</summary>
public sealed class DebertaPositions : Module
{
    private readonly Parameter _weight;
    private readonly int _span;

    internal DebertaPositions(EncoderConfig c, ConfigReader config)
    {
        string[] kinds = [.. config.GetStrings("pos_att_type").SelectMany(k => k.Split('|'))];
        if (kinds.FirstOrDefault(k => k is not ("c2p" or "p2c")) is { } unknown)
        {
            throw new CheckpointException(config.Source, $"\"pos_att_type\" holds \"{unknown}\"; expected c2p, p2c or both");
        }
        (HasKeys, HasQueries) = (kinds.Contains("c2p"), kinds.Contains("p2c"));
        int furthest = config.GetInt("max_relative_positions", -1, max: 1 << 20);
        _span = furthest < 1 ? c.MaxPositionEmbeddings : furthest;
        _weight = Add("rel_embeddings.weight", [2 * _span, c.HiddenSize], Initializer.Normal(c.InitializerRange));
    }

    internal bool HasKeys { get; }

    internal bool HasQueries { get; }

    internal Tensor Table(ForwardPass pass) => pass.Scope.Use(_weight);

    /// <summary>(T, T), int64: the row of the table for query i and key j.</summary>
    internal Tensor Places(int length, Scope scope) =>
        scope.From<long>([.. Enumerable.Range(0, length * length).Select(at => (long)Math.Clamp(at / length - at % length + _span, 0, 2 * _span - 1))], [length, length]);
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class DebertaLayer : Block
{
    private readonly DebertaAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal DebertaLayer(EncoderConfig c, DebertaPositions p)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new DebertaAttention(c, p));
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
public sealed class DebertaModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly DebertaLayer[] _layers;

    internal DebertaModel(ConfigReader config)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 50265, LayerNormEps = 1e-7, TypeVocabSize = 0 });
        Require(config, "relative_attention", config.GetBool("relative_attention", false), "true");
        Require(config, "talking_head", !config.GetBool("talking_head", false), "false");
        Require(config, "legacy", config.GetBool("legacy", true), "true");
        Require(config, "embedding_size", c.EmbeddingSize == c.HiddenSize, "hidden_size");
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, segments: c.TypeVocabSize > 0, positions: config.GetBool("position_biased_input", true)));
        var positions = Add("encoder", new DebertaPositions(c, config));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new DebertaLayer(c, positions)))];
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
        foreach (DebertaLayer layer in _layers)
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
        || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal);

    private static void Require(ConfigReader config, string key, bool holds, string expected)
    {
        if (!holds)
        {
            throw new CheckpointException(config.Source, $"\"{key}\" must be {expected}: other kinds of DeBERTa are not supported");
        }
    }
}

internal static class DebertaHeads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((DebertaModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
