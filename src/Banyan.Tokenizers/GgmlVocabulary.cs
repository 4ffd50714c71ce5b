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

    /// <summary>The token that fills up a batch; null: none.</summary>
    public int? PadId { get; init; }

    /// <summary>The token of masked text; null: none.</summary>
    public int? MaskId { get; init; }

    /// <summary>Whether a text begins with <see cref="BosId"/>; null: as the model does.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a text ends with <see cref="EosId"/>; null: as the model does.</summary>
    public bool? AddEos { get; init; }

    /// <summary>Whether a text is given a space to begin with (<c>llama</c>, <c>t5</c>). Default: yes.</summary>
    public bool AddSpacePrefix { get; init; } = true;

    /// <summary>Whether spaces at the ends and repeated ones are dropped (<c>t5</c>). Default: no.</summary>
    public bool RemoveExtraWhitespaces { get; init; }

    /// <summary>The normalization of <c>t5</c>, as SentencePiece holds it; empty: none.</summary>
    public byte[] CharsMap { get; init; } = [];

    /// <summary>Whether <c>bert</c> lowers case. Default: yes.</summary>
    public bool Lowercase { get; init; } = true;

    /// <summary>The Jinja template of conversations; null: none.</summary>
    public string? ChatTemplate { get; init; }
}
