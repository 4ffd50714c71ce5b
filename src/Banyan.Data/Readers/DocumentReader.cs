namespace Banyan.Data.Readers;

/// <summary>
/// Reads documents from <c>.txt</c>, <c>.jsonl</c> and <c>.csv</c> files, plain or gzipped (<c>.jsonl.gz</c>), one after the other and without
/// holding more than one in memory.
/// </summary>
public sealed class DocumentReader
{
    private readonly DocumentReaderOptions _options;
    private readonly Utf8Text _utf8;

    /// <summary>A reader.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public DocumentReader(DocumentReaderOptions? options = null)
    {
        _options = options ?? new();
        ArgumentException.ThrowIfNullOrEmpty(_options.TextKey);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.MaxDocumentBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.MaxDocumentBytes, 1 << 30);
        if (_options.Separator is "")
        {
            throw new ArgumentException("an empty separator: use null where a file is one document", nameof(options));
        }
        _utf8 = new Utf8Text(_options.Strict);
    }

    /// <summary>How many invalid UTF-8 sequences (and unpaired surrogates in JSON) have been replaced so far.</summary>
    public long ReplacedSequences => _utf8.Replaced;

    /// <summary>The files that the sources name, in the order in which they are read.</summary>
    /// <exception cref="FileNotFoundException">A source does not exist or matches nothing.</exception>
    public static IReadOnlyList<string> FilesOf(IEnumerable<string> sources) => SourceFiles.Expand(sources);

    /// <summary>The documents of the sources, in their order.</summary>
    /// <param name="sources">
    /// Files, folders (every file below them with a known extension, in ordinal order of the paths) and patterns with <c>*</c>, <c>?</c> and
    /// <c>**</c> (any depth).
    /// </param>
    /// <exception cref="FileNotFoundException">A source does not exist or matches nothing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged: the message names file, line or record, and what was expected.</exception>
    public IEnumerable<TextDocument> Read(params IEnumerable<string> sources)
    {
        List<string> paths = SourceFiles.Expand(sources); // a missing source is found before an hour of reading
        return paths.SelectMany(ReadFile);
    }

    private IEnumerable<TextDocument> ReadFile(string path)
    {
        using Stream stream = OpenStream(path);
        long number = 0;
        foreach (string text in Texts(stream, path))
        {
            yield return new TextDocument(text, path, number++);
        }
    }

    private IEnumerable<string> Texts(Stream stream, string path) => SourceFiles.Format(path) switch
    {
        ".jsonl" => new JsonLines(new ByteRecords(stream, "\n"u8, _options.MaxDocumentBytes, path), _options.TextKey, _utf8).Read(),
        ".csv" => new CsvTexts(new ByteRecords(stream, "\n"u8, _options.MaxDocumentBytes, path), _options.TextKey, _utf8).Read(),
        _ => PlainTexts(stream, path),
    };

    private IEnumerable<string> PlainTexts(Stream stream, string path)
    {
        byte[] separator = System.Text.Encoding.UTF8.GetBytes(_options.Separator ?? "");
        var records = new ByteRecords(stream, separator, _options.MaxDocumentBytes, path);
        while (records.MoveNext())
        {
            string text = _utf8.Decode(records.Current, records);
            text = _options.Separator is null ? text : text.Trim('\r', '\n');
            if (text.Length > 0)
            {
                yield return text;
            }
        }
    }

    private static Stream OpenStream(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new CheckedGZipStream(file, path) : file;
    }
}
