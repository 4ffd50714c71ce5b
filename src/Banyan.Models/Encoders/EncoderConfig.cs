using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>What most encoders' <c>config.json</c> says.</summary>
public sealed record EncoderConfig
{
    /// <summary>Number of token ids. Default: 30522.</summary>
    public int VocabSize { get; init; } = 30522;

    /// <summary>C. Default: 768.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Width of the MLP. Default: 3072.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Number of layers. Default: 12.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>H. Default: 12.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Context length. Default: 512.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Number of segments. Default: 2.</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Activation of the MLP. Default: gelu.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Added to the variance in norms. Default: 1e-12.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Dropout of embeddings and of what is added to the residual stream. Default: 0.1, in training only.</summary>
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of attention weights. Default: 0.1, in training only.</summary>
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout before a task's head. Default: the hidden dropout.</summary>
    public double ClassifierDropout { get; init; } = 0.1;

    /// <summary>Whether tokens see only those before them. Default: false.</summary>
    public bool IsDecoder { get; init; }

    /// <summary>The padding id, whose embedding is not trained; null: none. Default: 0.</summary>
    public int? PadTokenId { get; init; } = 0;

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Width of the embeddings, where it differs from C. Default: C.</summary>
    public int EmbeddingSize { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="c">The file.</param>
    /// <param name="defaults">What the architecture takes for keys that are not there. Default: BERT's.</param>
    /// <exception cref="CheckpointException">A value is impossible, or values contradict each other.</exception>
    public static EncoderConfig Read(ConfigReader c, EncoderConfig? defaults = null)
    {
        EncoderConfig d = defaults ?? new();
        int width = c.GetInt("hidden_size", d.HiddenSize, min: 1, max: 1 << 20), heads = c.GetInt("num_attention_heads", d.NumAttentionHeads, min: 1, max: width);
        ConfigChecks.Divides(c, "hidden_size", width, "num_attention_heads", heads);
        c.GetChoice("position_embedding_type", ["absolute"], "absolute");
        double dropout = c.GetDouble("hidden_dropout_prob", d.HiddenDropoutProb, min: 0, max: 0.999);
        return new EncoderConfig
        {
            VocabSize = c.GetInt("vocab_size", d.VocabSize, min: 1, max: 1 << 26),
            HiddenSize = width,
            IntermediateSize = c.GetInt("intermediate_size", d.IntermediateSize, min: 1, max: 1 << 24),
            NumHiddenLayers = c.GetInt("num_hidden_layers", d.NumHiddenLayers, min: 0, max: 4096),
            NumAttentionHeads = heads,
            MaxPositionEmbeddings = c.GetInt("max_position_embeddings", d.MaxPositionEmbeddings, min: 1),
            TypeVocabSize = c.GetInt("type_vocab_size", d.TypeVocabSize, min: 0, max: 1 << 20),
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, d.HiddenAct),
            LayerNormEps = c.GetDouble("layer_norm_eps", d.LayerNormEps, min: 0),
            HiddenDropoutProb = dropout,
            AttentionProbsDropoutProb = c.GetDouble("attention_probs_dropout_prob", d.AttentionProbsDropoutProb, min: 0, max: 0.999),
            ClassifierDropout = c.GetDouble("classifier_dropout", dropout, min: 0, max: 0.999),
            IsDecoder = c.GetBool("is_decoder", false),
            PadTokenId = ConfigChecks.PadTokenId(c, d.PadTokenId),
            EmbeddingSize = c.Has("embedding_size") ? c.GetInt("embedding_size", min: 1, max: 1 << 20) : d.EmbeddingSize == 0 ? width : d.EmbeddingSize,
            InitializerRange = c.GetDouble("initializer_range", d.InitializerRange, min: 0),
        };
    }
}
