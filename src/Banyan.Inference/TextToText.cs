using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>An encoder-decoder with its tokenizer: translates, summarises, answers.</summary>
/// <example><code>
/// TextToText model = TextToText.Load("opus-mt-en-de");
/// string german = model.Generate("A red ball.")[0].Text;
/// </code></example>
public sealed class TextToText
{
    private readonly Tokenizer? _tokenizer;
    private readonly ILogitsProcessor[] _forced;
    private readonly int? _forcedEnd;
    private readonly string _source;

    private TextToText(EncoderDecoderModel model, Tokenizer? tokenizer, ConfigReader config, string source)
    {
        (Model, _tokenizer, _source) = (model, tokenizer, source);
        EndIds = [.. config.GetLongs("eos_token_id").Select(id => (int)id)];
        _forced = config.Has("forced_bos_token_id") ? [new ForcedBegin(config.GetInt("forced_bos_token_id", min: 0, max: model.VocabularySize - 1))] : [];
        _forcedEnd = config.Has("forced_eos_token_id") ? config.GetInt("forced_eos_token_id", min: 0, max: model.VocabularySize - 1) : null;
    }

    /// <summary>The network.</summary>
    public EncoderDecoderModel Model { get; }

    /// <summary>The tokens that end a text.</summary>
    public IReadOnlyList<int> EndIds { get; }

    /// <summary>Its tokenizer.</summary>
    /// <exception cref="CheckpointException">The model came without one.</exception>
    public Tokenizer Tokenizer => _tokenizer ?? throw new CheckpointException(_source, "has no tokenizer beside it (tokenizer.json): give ids instead of text");

    /// <summary>True for a model whose configuration says <c>is_encoder_decoder</c>.</summary>
    /// <exception cref="CheckpointException">There is no model, or it is damaged.</exception>
    public static bool Is(string path)
    {
        using IModelReader reader = ModelReader.Open(path);
        return reader.ReadConfig().GetBool("is_encoder_decoder", false);
    }

    /// <summary>Loads a folder or a GGUF file. Ends and forced tokens come from <c>generation_config.json</c> where it is there, else from <c>config.json</c>.</summary>
    /// <exception cref="CheckpointException">It is missing or damaged, or no encoder-decoder.</exception>
    public static TextToText Load(string path)
    {
        using IModelReader reader = ModelReader.Open(path);
        if (ModelRegistry.Default.Create(reader.ReadConfig()) is not EncoderDecoderModel model)
        {
            throw new CheckpointException(path, "is no encoder-decoder; expected T5, BART, Marian or the like");
        }
        ModelFiles.LoadWeights(model, reader, trainable: false);
        return new TextToText(model, ModelTokenizer.Find(reader), (reader as ModelFolder)?.ReadGenerationConfig() ?? reader.ReadConfig(), path);
    }

    /// <summary>The best targets of a text, the best first.</summary>
    /// <param name="text">The source.</param>
    /// <param name="options">The search; null: its defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the search between two tokens.</param>
    public IReadOnlyList<(string Text, Beam Beam)> Generate(string text, BeamOptions? options = null, ComputePool? pool = null, CancellationToken cancellationToken = default) =>
        [.. Generate(Tokenizer.EncodeToIds(text), options, pool, cancellationToken).Select(b => (Tokenizer.Decode([.. b.Ids]), b))];

    /// <summary>The best targets of a source of ids, the best first.</summary>
    /// <param name="ids">The source.</param>
    /// <param name="options">The search; null: its defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the search between two tokens.</param>
    public IReadOnlyList<Beam> Generate(IReadOnlyList<int> ids, BeamOptions? options = null, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        if (ids.Count == 0 || ids.Any(id => id < 0 || id >= Model.VocabularySize))
        {
            throw new ArgumentException(ids.Count == 0 ? "the source has no tokens; expected at least one" : $"a token id of the source lies outside the vocabulary of {Model.VocabularySize}", nameof(ids));
        }
        List<ILogitsProcessor> rules = [.. options.Processors, .. _forced];
        if (_forcedEnd is { } end)
        {
            rules.Add(new ForcedEnd(1 + options.MaxNewTokens, [end]));
        }
        var inputs = new Dictionary<string, Tensor> { ["input_ids"] = Tensor.From([.. ids.Select(id => (long)id)], [1, ids.Count]) };
        return BeamSearch.Search(Model, pass => Model.Encode(new ModelInputs(inputs), pass), [Model.DecoderStartTokenId], EndIds, options with { Processors = rules }, pool, cancellationToken);
    }
}
