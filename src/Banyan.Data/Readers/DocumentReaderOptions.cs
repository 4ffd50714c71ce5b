namespace Banyan.Data.Readers;

/// <summary>How <see cref="DocumentReader"/> reads.</summary>
public sealed record DocumentReaderOptions
{
    /// <summary>The key of a JSON line, or the column of a CSV file, that holds the text. Default: <c>text</c>.</summary>
    public string TextKey { get; init; } = "text";

    /// <summary>
    /// What stands between the documents of a .txt file, for example <c>&lt;|endoftext|&gt;</c>; line breaks next to it belong to no document.
    /// Default: null, a file is one document.
    /// </summary>
    public string? Separator { get; init; }

    /// <summary>True refuses invalid UTF-8; false (the default) replaces each invalid sequence by U+FFFD and counts it.</summary>
    public bool Strict { get; init; }

    /// <summary>The longest document (for JSON and CSV: the longest record) in bytes: a bound for damaged or hostile files. Default: 256 MiB.</summary>
    public int MaxDocumentBytes { get; init; } = 1 << 28;
}
