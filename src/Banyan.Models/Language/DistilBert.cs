using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT with half of its layers, without segments and pooler, taught by the larger one.

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class DistilBertLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal DistilBertLayer(EncoderConfig c, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention", new EncoderAttention(c, layer, "q_lin", "k_lin", "v_lin"));
        _out = Add("attention.out_lin", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("sa_layer_norm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("dropout1", new Dropout(c.HiddenDropoutProb));
        _up = Add("ffn.lin1", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("ffn.lin2", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("output_layer_norm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
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

/// <summary>Embeddings and layers: <c>distilbert</c> in checkpoints.</summary>
public sealed class DistilBertModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly DistilBertLayer[] _layers;

    internal DistilBertModel(ConfigReader config)
    {
        EncoderConfig c = Config = Read(config);
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, segments: false));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"transformer.layer.{i}", new DistilBertLayer(c, i)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "distilbert";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "embeddings", path + "transformer.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        foreach (DistilBertLayer layer in _layers)
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
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("vocab_", StringComparison.Ordinal) || checkpointName.StartsWith("pre_classifier.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal);

    private static EncoderConfig Read(ConfigReader c)
    {
        int width = c.GetInt("dim", 768, min: 1, max: 1 << 20), heads = c.GetInt("n_heads", 12, min: 1, max: width);
        ConfigChecks.Divides(c, "dim", width, "n_heads", heads);
        return new()
        {
            VocabSize = c.GetInt("vocab_size", 30522, min: 1, max: 1 << 26), HiddenSize = width, EmbeddingSize = width, IntermediateSize = c.GetInt("hidden_dim", 3072, min: 1, max: 1 << 24),
            NumHiddenLayers = c.GetInt("n_layers", 6, min: 0, max: 4096), NumAttentionHeads = heads, MaxPositionEmbeddings = c.GetInt("max_position_embeddings", 512, min: 1),
            HiddenAct = c.GetChoice("activation", Activations.Names, "gelu"), HiddenDropoutProb = c.GetDouble("dropout", 0.1, min: 0, max: 0.999),
            AttentionProbsDropoutProb = c.GetDouble("attention_dropout", 0.1, min: 0, max: 0.999), ClassifierDropout = c.GetDouble("seq_classif_dropout", 0.2, min: 0, max: 0.999),
            PadTokenId = ConfigChecks.PadTokenId(c, 0), InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
        };
    }
}

internal static class DistilBertHeads
{
    private static readonly MaskedHeadNames Names = new("vocab_transform", "vocab_layer_norm", "vocab_projector.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((DistilBertModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
