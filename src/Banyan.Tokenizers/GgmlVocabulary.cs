namespace Banyan.Tokenizers;

/// <summary>
/// A vocabulary as GGUF files hold it (their keys <c>tokenizer.ggml.*</c>). <see cref="Tokenizer.FromGgml"/> makes a tokenizer of it that gives the ids of llama.cpp.
/// </summary>
public sealed record GgmlVocabulary
{
    /// <summary><c>llama</c> (SentencePiece byte pairs), <c>gpt2</c> (byte-level BPE), <c>bert</c> (WordPiece) or <c>t5</c> (unigrams).</summary>
    public required string Model { get; init; }

    /// <summary>How <c>gpt2</c> cuts texts into pieces: the name of a family, for example <c>llama-bpe</c>. Default: <c>default</c>.</summary>
    public string Pre { get; init; } = "default";

    /// <summary>The tokens by id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>The score of each token (<c>llama</c>, <c>t5</c>); empty: none.</summary>
    public IReadOnlyList<float> Scores { get; init; } = [];

    /// <summary>What each token is for: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; empty: all normal.</summary>
    public IReadOnlyList<int> Types { get; init; } = [];

    /// <summary>Merges of <c>gpt2</c>: two tokens with a space between, in the order in which they were learned.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary>The token that begins a text (BERT's <c>[CLS]</c>); null: none.</summary>
    public int? BosId { get; init; }

    /// <summary>The token that ends a text; null: none.</summary>
    public int? EosId { get; init; }

    /// <summary>The token of unknown text; null: none.</summary>
    public int? UnkId { get; init; }

    /// <summary>The token between two texts; null: none.</summary>
    public int? SepId { get; init; }

    /// <summary>The token that ends a turn of a conversation, where it is another than <see cref="EosId"/>; null: none.</summary>
    public int? EotId { get; init; }

    /// <summary>The token that ends a message of several turns; null: none.</summary>
    public int? EomId { get; init; }

    /// <summary>The token that fills up a batch; null: none.</summary>
    public int? PadId { get; init; }

    /// <summary>The token of masked text; null: none.</summary>
    public int? MaskId { get; init; }

    /// <summary>Whether a text begins with <see cref="BosId"/>; null: as the model does.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a text ends with <see cref="EosId"/>; null: as the model does.</summary>
    public bool? AddEos { get; init; }

    /// <summary>Whether <see cref="SepId"/> stands between two texts; null: as the model does.</summary>
    public bool? AddSep { get; init; }

    /// <summary>Whether a text is given a space to begin with (<c>llama</c>, <c>t5</c>); null: yes.</summary>
    public bool? AddSpacePrefix { get; init; }

    /// <summary>Whether spaces at the ends and repeated ones are dropped (<c>t5</c>); null: no.</summary>
    public bool? RemoveExtraWhitespaces { get; init; }

    /// <summary>The normalization of <c>t5</c>, as SentencePiece holds it; empty: none.</summary>
    public byte[] CharsMap { get; init; } = [];

    /// <summary>Whether <c>bert</c> lowers case; null: yes.</summary>
    public bool? Lowercase { get; init; }

    /// <summary>The Jinja template of conversations; null: none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Other templates of conversations, by name.</summary>
    public IReadOnlyDictionary<string, string> NamedTemplates { get; init; } = new Dictionary<string, string>();

    /// <summary>Reads the vocabulary of a Hugging Face folder, as llama.cpp's converter writes it.</summary>
    /// <param name="folder">A folder with <c>tokenizer.json</c>, a SentencePiece model, or what else <see cref="Tokenizer.Load"/> reads.</param>
    /// <param name="modelType">The <c>model_type</c> of its configuration: some architectures have their own customs.</param>
    /// <param name="size">The rows of the embedding: ids beyond the tokenizer become unused tokens.</param>
    /// <param name="configIds">Special tokens that the configuration names: <c>bos</c>, <c>eos</c>, <c>pad</c> and so on.</param>
    /// <exception cref="TokenizerFormatException">A file is not what it must be, or GGUF has no name for its kind.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer.</exception>
    public static GgmlVocabulary FromFolder(string folder, string modelType, int size, IReadOnlyDictionary<string, int> configIds) => new Formats.GgmlFolder(folder, modelType, size, configIds).Read();
}
