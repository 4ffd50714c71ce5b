using System.Diagnostics;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Tokenizers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Banyan.Inference;

/// <summary>A decoder-only model with its tokenizer: what generates and scores text.</summary>
/// <example><code>
/// LanguageModel lm = LanguageModel.Load("runs/quickstart/model");
/// await foreach (GeneratedToken t in lm.GenerateAsync("Once upon a time", new() { MaxNewTokens = 100 })) Console.Write(t.Text);
/// </code></example>
public sealed class LanguageModel
{
    private readonly Tokenizer? _tokenizer;

    /// <summary>Joins a model and a tokenizer.</summary>
    /// <param name="model">The model, with weights.</param>
    /// <param name="tokenizer">Its tokenizer; null where only ids are used.</param>
    /// <param name="endIds">The tokens that end a text; null: what the model's configuration names as <c>eos_token_id</c>.</param>
    /// <param name="source">Where it came from, for messages.</param>
    public LanguageModel(CausalLanguageModel model, Tokenizer? tokenizer = null, IReadOnlyList<int>? endIds = null, string source = "model")
    {
        if (tokenizer is not null && tokenizer.VocabularySize > model.VocabularySize)
        {
            throw new CheckpointException(source, $"the tokenizer has {tokenizer.VocabularySize} tokens, the model's vocabulary {model.VocabularySize}: they do not belong together");
        }
        Model = model;
        _tokenizer = tokenizer;
        Source = source;
        EndIds = endIds ?? ReadEndIds(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(model.ConfigJson), source));
    }

    /// <summary>Where it came from: the path that it was loaded from. Metrics name it.</summary>
    public string Source { get; }

    /// <summary>Told of loading (information) and of each generation (debug). Default: nobody.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The network.</summary>
    public CausalLanguageModel Model { get; }

    /// <summary>True where a tokenizer came with it.</summary>
    public bool HasTokenizer => _tokenizer is not null;

    /// <summary>Its tokenizer.</summary>
    /// <exception cref="CheckpointException">The model came without one.</exception>
    public Tokenizer Tokenizer => _tokenizer ?? throw new CheckpointException(Source, "has no tokenizer beside it (tokenizer.json, or tok*.bin for llama2.c): give ids instead of text");

    /// <summary>The tokens that end a text.</summary>
    public IReadOnlyList<int> EndIds { get; }

    /// <summary>Loads a model folder, a GGUF file, or a llama2.c file with its tokenizer beside it.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="registry">Known architectures; null: Banyan's own.</param>
    /// <param name="logger">Becomes <see cref="Logger"/>; null: nobody.</param>
    /// <param name="precision">Whether weights in blocks (quantized GGUF files) or of 16 bits stay so. Default: they do.</param>
    /// <param name="rope">A longer context; null: the model's own.</param>
    /// <exception cref="CheckpointException">It is missing or damaged, or no decoder-only language model.</exception>
    public static LanguageModel Load(string path, ModelRegistry? registry = null, ILogger? logger = null, WeightPrecision precision = WeightPrecision.Stored, RopeScaling? rope = null)
    {
        long start = Stopwatch.GetTimestamp();
        using IModelReader reader = ModelReader.Open(path);
        ConfigReader config = rope is null ? reader.ReadConfig() : rope.Apply(reader.ReadConfig());
        Model model = (registry ?? ModelRegistry.Default).Create(config);
        if (rope is not null && config.UnreadKeys().Any(k => k is "rope_theta" or "rope_scaling"))
        {
            throw new CheckpointException(path, $"is a {model.GetType().Name}, which has no rotary embedding that could be stretched");
        }
        if (model is not CausalLanguageModel causal)
        {
            throw new CheckpointException(path, $"is a {model.GetType().Name}, which does not write text; expected a decoder-only language model");
        }
        ModelFiles.LoadWeights(model, reader, trainable: false, precision);
        var lm = new LanguageModel(causal, ModelTokenizer.Find(reader), (reader as GgufModel)?.File.Metadata is { } metadata ? GgufTokenizer.ReadEndIds(metadata) : null, path) { Logger = logger ?? NullLogger.Instance };
        if (lm.Logger.IsEnabled(LogLevel.Information))
        {
            lm.Logger.Loaded(model.GetType().Name, model.ParameterCount, path, Stopwatch.GetElapsedTime(start).TotalSeconds, lm.HasTokenizer);
        }
        return lm;
    }

    /// <summary>Why a log-probability is not a number: the tensor of weights that is damaged, where there is one.</summary>
    internal CheckpointException NotFinite()
    {
        string? damaged = Model.NamedParameters().Where(p => p.Parameter.Value.DType.IsFloat && !p.Parameter.Value.IsFinite().All().ToDoubles().All(v => v != 0)).Select(p => p.Name).FirstOrDefault();
        return new(Source, damaged is null ? "the logits are not finite although every weight is: the numbers overflow on the way"
            : $"the logits are not finite: the tensor \"{damaged}\" holds NaN or infinite numbers; expected finite ones");
    }

    private static int[] ReadEndIds(ConfigReader config) => [.. config.GetLongs("eos_token_id").Select(id => (int)id)];
}
