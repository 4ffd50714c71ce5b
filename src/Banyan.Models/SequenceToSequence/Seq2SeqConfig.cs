using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>What the <c>config.json</c> of BART and its relatives says.</summary>
public sealed record Seq2SeqConfig
{
    /// <summary>Number of token ids. Default: 50265.</summary>
    public int VocabSize { get; init; } = 50265;

    /// <summary>C. Default: 1024.</summary>
    public int DModel { get; init; } = 1024;

    /// <summary>Layers of the encoder. Default: 12.</summary>
    public int EncoderLayers { get; init; } = 12;

    /// <summary>Layers of the decoder. Default: 12.</summary>
    public int DecoderLayers { get; init; } = 12;

    /// <summary>Heads of the encoder. Default: 16.</summary>
    public int EncoderAttentionHeads { get; init; } = 16;

    /// <summary>Heads of the decoder. Default: 16.</summary>
    public int DecoderAttentionHeads { get; init; } = 16;

    /// <summary>Width of the encoder's MLPs. Default: 4096.</summary>
    public int EncoderFfnDim { get; init; } = 4096;

    /// <summary>Width of the decoder's MLPs. Default: 4096.</summary>
    public int DecoderFfnDim { get; init; } = 4096;

    /// <summary>Longest source and target. Default: 1024.</summary>
    public int MaxPositionEmbeddings { get; init; } = 1024;

    /// <summary>Activation of the MLPs. Default: gelu.</summary>
    public string ActivationFunction { get; init; } = "gelu";

    /// <summary>Dropout of embeddings and of what is added to the residual stream. Default: 0.1, in training only.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Dropout of attention weights. Default: 0, in training only.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Dropout between the layers of an MLP. Default: 0, in training only.</summary>
    public double ActivationDropout { get; init; }

    /// <summary>Whether embeddings are multiplied by sqrt(C). Default: false.</summary>
    public bool ScaleEmbedding { get; init; }

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitStd { get; init; } = 0.02;

    /// <summary>The padding id. Default: 1.</summary>
    public int PadTokenId { get; init; } = 1;

    /// <summary>First id of every target. Default: 2.</summary>
    public int DecoderStartTokenId { get; init; } = 2;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="c">The file.</param>
    /// <param name="defaults">What the architecture takes for keys that are not there. Default: BART's.</param>
    /// <exception cref="CheckpointException">A value is impossible, or values contradict each other.</exception>
    public static Seq2SeqConfig Read(ConfigReader c, Seq2SeqConfig? defaults = null)
    {
        Seq2SeqConfig d = defaults ?? new();
        int width = c.GetInt("d_model", d.DModel, min: 2, max: 1 << 20);
        int Heads(string key, int otherwise)
        {
            int heads = c.GetInt(key, otherwise, min: 1, max: 1 << 16);
            ConfigChecks.Divides(c, "d_model", width, key, heads);
            return heads;
        }
        if (!c.GetBool("tie_word_embeddings", true))
        {
            throw new CheckpointException(c.Source, "\"tie_word_embeddings\" is false; expected true: this family's head is the embedding");
        }
        return d with
        {
            VocabSize = c.GetInt("vocab_size", d.VocabSize, min: 1, max: 1 << 26), DModel = width,
            EncoderLayers = c.GetInt("encoder_layers", d.EncoderLayers, min: 0, max: 4096), DecoderLayers = c.GetInt("decoder_layers", d.DecoderLayers, min: 0, max: 4096),
            EncoderAttentionHeads = Heads("encoder_attention_heads", d.EncoderAttentionHeads), DecoderAttentionHeads = Heads("decoder_attention_heads", d.DecoderAttentionHeads),
            EncoderFfnDim = c.GetInt("encoder_ffn_dim", d.EncoderFfnDim, min: 1, max: 1 << 24), DecoderFfnDim = c.GetInt("decoder_ffn_dim", d.DecoderFfnDim, min: 1, max: 1 << 24),
            MaxPositionEmbeddings = c.GetInt("max_position_embeddings", d.MaxPositionEmbeddings, min: 1),
            ActivationFunction = c.GetChoice("activation_function", Activations.Names, d.ActivationFunction),
            Dropout = c.GetDouble("dropout", d.Dropout, min: 0, max: 0.999), AttentionDropout = c.GetDouble("attention_dropout", d.AttentionDropout, min: 0, max: 0.999),
            ActivationDropout = c.GetDouble("activation_dropout", d.ActivationDropout, min: 0, max: 0.999), ScaleEmbedding = c.GetBool("scale_embedding", d.ScaleEmbedding),
            InitStd = c.GetDouble("init_std", d.InitStd, min: 0), PadTokenId = c.GetInt("pad_token_id", d.PadTokenId, min: 0),
            DecoderStartTokenId = c.GetInt("decoder_start_token_id", d.DecoderStartTokenId, min: 0),
        };
    }
}
