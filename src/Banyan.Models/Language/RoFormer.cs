using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// RoFormer (Su et al. 2021, arXiv:2104.09864): BERT whose queries and keys rotate with their positions, the first of all rotary models.

/// <summary>Attention whose queries and keys rotate.</summary>
public sealed class RoFormerAttention : EncoderAttention
{
    private readonly RotaryEmbedding _rotary;

    internal RoFormerAttention(EncoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer) => _rotary = rotary;

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) => (_rotary.Apply(q, batch), _rotary.Apply(k, batch));
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class RoFormerLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal RoFormerLayer(EncoderConfig c, int layer, RotaryEmbedding rotary)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new RoFormerAttention(c, layer, rotary));
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

/// <summary>Embeddings and layers: <c>roformer</c> in checkpoints.</summary>
public sealed class RoFormerModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly RoFormerLayer[] _layers;
    private readonly Linear? _project;
    private readonly RotaryEmbedding _rotary;

    internal RoFormerModel(ConfigReader config)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 50000, MaxPositionEmbeddings = 1536 });
        if (config.GetBool("rotary_value", false))
        {
            throw new CheckpointException(config.Source, "\"rotary_value\" is true; expected false: values that rotate are not supported");
        }
        _rotary = new RotaryEmbedding(new RopeParameters { OriginalMaxPositions = c.MaxPositionEmbeddings }, c.HiddenSize / c.NumAttentionHeads, interleaved: true);
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, positions: false));
        _project = c.EmbeddingSize == c.HiddenSize ? null : Add("embeddings_project", new Linear(c.EmbeddingSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new RoFormerLayer(c, i, _rotary)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "roformer";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "projected", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        _rotary.Prepare(batch, pass);
        Tensor x = _embeddings.Forward(batch, pass);   // (T, E)
        x = pass.Visit(this, "projected", _project is null ? x : _project.Forward(x, pass));
        foreach (RoFormerLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => null;

    // Weights of tasks that were not asked for may lie beside the encoder; old checkpoints store positions 0, 1, 2 ...
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("cls.", StringComparison.Ordinal) || checkpointName.EndsWith("encoder.embed_positions.weight", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal);
}

internal static class RoFormerHeads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((RoFormerModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
