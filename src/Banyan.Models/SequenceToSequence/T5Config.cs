using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>Configuration of T5 and its relatives, by the keys of <c>config.json</c>.</summary>
public sealed record T5Config
{
    /// <summary>Number of token ids. Default: 32128.</summary>
    public int VocabSize { get; init; } = 32128;

    /// <summary>C. Default: 512.</summary>
    public int DModel { get; init; } = 512;

    /// <summary>D. Default: 64.</summary>
    public int DKv { get; init; } = 64;

    /// <summary>Width of the MLP. Default: 2048.</summary>
    public int DFf { get; init; } = 2048;

    /// <summary>Number of the encoder's layers. Default: 6.</summary>
    public int NumLayers { get; init; } = 6;

    /// <summary>Number of the decoder's layers. Default: as many.</summary>
    public int NumDecoderLayers { get; init; } = 6;

    /// <summary>H. Default: 8.</summary>
    public int NumHeads { get; init; } = 8;

    /// <summary>Number of distance buckets. Default: 32.</summary>
    public int RelativeAttentionNumBuckets { get; init; } = 32;

    /// <summary>Distances from here on share the last bucket. Default: 128.</summary>
    public int RelativeAttentionMaxDistance { get; init; } = 128;

    /// <summary>Activation of the MLP. Default: relu.</summary>
    public string DenseActFn { get; init; } = "relu";

    /// <summary>Whether the MLP has a gate (T5 1.1). Default: false.</summary>
    public bool IsGatedAct { get; init; }

    /// <summary>Added to the mean square in norms. Default: 1e-6.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Dropout everywhere. Default: 0.1, in training only.</summary>
    public double DropoutRate { get; init; } = 0.1;

    /// <summary>Factor of the standard deviations of new weights. Default: 1.</summary>
    public double InitializerFactor { get; init; } = 1;

    /// <summary>Whether the head is the embedding. Default: true.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>Whether hidden states are divided by sqrt(C) before the head. Default: when it is tied.</summary>
    public bool ScaleDecoderOutputs { get; init; } = true;

    /// <summary>First id of every target. Default: the padding id.</summary>
    public int DecoderStartTokenId { get; init; }

    /// <summary>The padding id. Default: 0.</summary>
    public int PadTokenId { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="c">The file.</param>
    /// <param name="defaults">What the architecture takes for sizes that are not there. Default: T5's.</param>
    public static T5Config Read(ConfigReader c, T5Config? defaults = null)
    {
        T5Config d = defaults ?? new();
        string mlp = c.GetString("feed_forward_proj", "relu");
        bool gated = mlp.StartsWith("gated-", StringComparison.Ordinal), tied = c.GetBool("tie_word_embeddings", true);
        string act = mlp == "gated-gelu" ? "gelu_new" : gated ? mlp["gated-".Length..] : mlp;
        if (!Activations.Names.Contains(act))
        {
            throw new CheckpointException(c.Source, $"\"feed_forward_proj\" is \"{mlp}\"; expected one of {string.Join(", ", Activations.Names)}, or one of them behind \"gated-\"");
        }
        int layers = c.GetInt("num_layers", d.NumLayers, min: 0, max: 4096), pad = c.GetInt("pad_token_id", 0, min: 0);
        int buckets = c.GetInt("relative_attention_num_buckets", 32, min: 4, max: 1 << 16);
        return new T5Config
        {
            VocabSize = c.GetInt("vocab_size", d.VocabSize, min: 1, max: 1 << 26),
            DModel = c.GetInt("d_model", d.DModel, min: 1, max: 1 << 20),
            DKv = c.GetInt("d_kv", d.DKv, min: 1, max: 1 << 16),
            DFf = c.GetInt("d_ff", d.DFf, min: 1, max: 1 << 24),
            NumLayers = layers,
            NumDecoderLayers = c.GetInt("num_decoder_layers", layers, min: 0, max: 4096),
            NumHeads = c.GetInt("num_heads", d.NumHeads, min: 1, max: 1 << 16),
            RelativeAttentionNumBuckets = buckets,
            RelativeAttentionMaxDistance = c.GetInt("relative_attention_max_distance", 128, min: buckets / 2 + 1, max: 1 << 24),
            DenseActFn = act,
            IsGatedAct = gated,
            LayerNormEpsilon = c.GetDouble("layer_norm_epsilon", 1e-6, min: 0),
            DropoutRate = c.GetDouble("dropout_rate", 0.1, min: 0, max: 0.999),
            InitializerFactor = c.GetDouble("initializer_factor", 1, min: 0),
            TieWordEmbeddings = tied,
            ScaleDecoderOutputs = c.GetBool("scale_decoder_outputs", tied),
            PadTokenId = pad,
            DecoderStartTokenId = c.GetInt("decoder_start_token_id", pad, min: 0),
        };
    }
}
