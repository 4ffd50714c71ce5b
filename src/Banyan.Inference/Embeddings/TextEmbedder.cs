using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Tokenizers;
using Microsoft.Extensions.AI;

namespace Banyan.Inference;

/// <summary>How one vector is made of the vectors of a text's tokens.</summary>
public enum Pooling
{
    /// <summary>The mean over the tokens.</summary>
    Mean,

    /// <summary>The first token's.</summary>
    First,

    /// <summary>The largest of each element.</summary>
    Max,
}

/// <summary>
/// Texts to vectors, by an encoder in the layout of sentence-transformers (Reimers and Gurevych 2019, arXiv:1908.10084): the similarity of two texts is the
/// product of their vectors. Texts are sorted by length and computed without padding.
/// </summary>
/// <example><code>
/// using var embedder = TextEmbedder.Load("all-MiniLM-L6-v2");
/// float[][] vectors = embedder.Embed(["A red ball.", "A scarlet sphere."]);
/// </code></example>
public sealed class TextEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    // Tokens of one pass: enough for large products, few enough to stay near the caches.
    private const int PassTokens = 4096;

    private readonly EncoderTask _model;
    private readonly Tokenizer _tokenizer;
    private readonly ComputePool? _pool;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <summary>Joins an encoder and a tokenizer.</summary>
    /// <param name="model">The encoder, with weights.</param>
    /// <param name="tokenizer">Its tokenizer; what it says about truncation and padding is not used.</param>
    /// <param name="pooling">How a text's vector is made. Default: the mean.</param>
    /// <param name="normalize">Whether vectors get the length 1. Default: true.</param>
    /// <param name="maxTokens">Longer texts are cut, special tokens included. Default: 512.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    public TextEmbedder(EncoderTask model, Tokenizer tokenizer, Pooling pooling = Pooling.Mean, bool normalize = true, int maxTokens = 512, ComputePool? pool = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 2);
        (_model, _tokenizer, _pool, Pooling, Normalize, MaxTokens) = (model, tokenizer, pool, pooling, normalize, maxTokens);
        (_tokenizer.Truncation, _tokenizer.Padding) = (new Truncation { MaxLength = maxTokens }, null);
        _metadata = new EmbeddingGeneratorMetadata("banyan", defaultModelDimensions: Dimensions);
    }

    /// <summary>Elements of a vector.</summary>
    public int Dimensions => _model.Encoder.HiddenSize;

    /// <summary>How a text's vector is made.</summary>
    public Pooling Pooling { get; }

    /// <summary>Whether vectors have the length 1.</summary>
    public bool Normalize { get; }

    /// <summary>The most tokens of a text that count.</summary>
    public int MaxTokens { get; }

    /// <summary>
    /// Loads a folder: <c>config.json</c>, weights and tokenizer, and, where they are there, <c>modules.json</c>, <c>1_Pooling/config.json</c> and
    /// <c>sentence_bert_config.json</c>. Without them: the mean, normalised.
    /// </summary>
    /// <param name="path">The folder.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <exception cref="CheckpointException">Something is missing or damaged, or the model is no encoder.</exception>
    public static TextEmbedder Load(string path, ComputePool? pool = null)
    {
        Model model = ModelFiles.Load(path);
        if (model is not EncoderTask encoder)
        {
            throw new CheckpointException(path, $"is a {model.GetType().Name}; expected an encoder such as BertModel");
        }
        ConfigReader? limits = Optional(path, "sentence_bert_config.json"), pooling = Optional(path, Path.Combine("1_Pooling", "config.json"));
        string modules = Path.Combine(path, "modules.json");
        bool normalize = !File.Exists(modules) || File.ReadAllText(modules).Contains("models.Normalize", StringComparison.Ordinal);
        return new TextEmbedder(encoder, Tokenizer.Load(path), PoolingOf(pooling), normalize, limits?.GetInt("max_seq_length", 512, min: 2) ?? 512, pool);
    }

    /// <summary>The vectors of texts, in their order.</summary>
    /// <param name="texts">The texts; an empty one has a vector too, that of the special tokens.</param>
    /// <param name="cancellationToken">Stops between passes.</param>
    public float[][] Embed(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        EmbedIds([.. texts.Select(t => _tokenizer.Encode(t).Ids.ToArray())], cancellationToken);

    private float[][] EmbedIds(int[][] ids, CancellationToken cancellationToken)
    {
        var vectors = new float[ids.Length][];
        int[] order = [.. Enumerable.Range(0, ids.Length).OrderBy(i => ids[i].Length)];
        using var scope = new Scope(new ScopeOptions { Pool = _pool, RecycleHandles = true });
        var pass = new ForwardPass(scope);
        for (int from = 0; from < order.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = 1;
            for (int tokens = ids[order[from]].Length; from + count < order.Length && tokens + ids[order[from + count]].Length <= PassTokens; count++)
            {
                tokens += ids[order[from + count]].Length;
            }
            ReadOnlySpan<int> some = order.AsSpan(from, count);
            Pass(ids, some, vectors, pass);
            scope.Reset();
            from += count;
        }
        return vectors;
    }

    private void Pass(int[][] ids, ReadOnlySpan<int> some, float[][] vectors, ForwardPass pass)
    {
        var all = new List<long>();
        var lengths = new int[some.Length];
        for (int i = 0; i < some.Length; i++)
        {
            all.AddRange(ids[some[i]].Select(id => (long)id));
            lengths[i] = ids[some[i]].Length;
        }
        Tensor hidden = _model.Encoder.Forward(TokenBatch.Packed([.. all], lengths, pass.Scope), pass);   // (T, C)
        for (int i = 0, at = 0; i < some.Length; at += lengths[i++])
        {
            Tensor rows = hidden.Slice(0, at, lengths[i]);
            Tensor vector = Pooling switch { Pooling.First => rows.Select(0, 0), Pooling.Max => rows.AMax([0]), _ => rows.Mean([0]) };
            vector = Normalize ? vector / vector.VectorNorm([0], keepDim: true).Clamp(min: 1e-12) : vector;
            vectors[some[i]] = vector.ToArray<float>();
        }
    }

    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (options?.Dimensions is { } wanted && wanted != Dimensions)
        {
            throw new ArgumentException($"this model's vectors have {Dimensions} elements; {wanted} were asked for", nameof(options));
        }
        string[] texts = [.. values];
        return Task.Run(() =>
        {
            int[][] ids = [.. texts.Select(t => _tokenizer.Encode(t).Ids.ToArray())];
            var result = new GeneratedEmbeddings<Embedding<float>>(EmbedIds(ids, cancellationToken).Select(v => new Embedding<float>(v)))
            {
                Usage = new UsageDetails { InputTokenCount = ids.Sum(i => (long)i.Length), TotalTokenCount = ids.Sum(i => (long)i.Length) },
            };
            return result;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;

    /// <summary>Nothing to release: the weights are the model's.</summary>
    public void Dispose()
    {
    }

    private static ConfigReader? Optional(string folder, string name) => File.Exists(Path.Combine(folder, name)) ? ConfigReader.Open(Path.Combine(folder, name)) : null;

    private static Pooling PoolingOf(ConfigReader? c) => c is null || c.GetBool("pooling_mode_mean_tokens", false) ? Pooling.Mean
        : c.GetBool("pooling_mode_cls_token", false) ? Pooling.First
        : c.GetBool("pooling_mode_max_tokens", false) ? Pooling.Max
        : throw new CheckpointException(c.Source, "names no pooling that is supported; expected pooling_mode_mean_tokens, pooling_mode_cls_token or pooling_mode_max_tokens");
}
