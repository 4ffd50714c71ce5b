using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Pipeline;

namespace Banyan.Tokenizers.Formats;

/// <summary>Finds, reads and writes tokenizer files of every kind.</summary>
internal static class TokenizerFiles
{
    private const string Json = "tokenizer.json";

    /// <summary>The largest file that is read: the big vocabularies of the field have 35 MB.</summary>
    private const long MaxBytes = 1L << 30;

    /// <summary>What a folder may hold, the best first.</summary>
    private static readonly string[] s_names = [Json, "vocab.json", "encoder.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "m.model", "tokenizer.bin", "tok512.bin", VocabularyText.FileName];

    public static Tokenizer Load(string path)
    {
        string file = Directory.Exists(path) ? FindIn(path) : path;
        if (!File.Exists(file))
        {
            throw new FileNotFoundException(
                $"{file}: no such file; expected a tokenizer file ({Json}, vocab.json, vocab.txt, *.tiktoken, *.model, *.bin) or a folder that holds one", file);
        }
        TokenizerConfig config = TokenizerConfig.ReadBeside(file);
        Tokenizer tokenizer = Read(file, config);
        tokenizer.Config = config.Completed(tokenizer.Parts);
        return tokenizer;
    }

    /// <summary>Writes tokenizer.json; into a folder tokenizer_config.json too.</summary>
    public static void Save(Tokenizer tokenizer, string path)
    {
        bool isFolder = Directory.Exists(path) || Path.GetExtension(path).Length == 0;
        if (!isFolder)
        {
            WriteAtomically(path, TokenizerJsonWriter.Write(tokenizer));
            return;
        }
        Directory.CreateDirectory(path);
        WriteAtomically(Path.Combine(path, Json), TokenizerJsonWriter.Write(tokenizer));
        WriteAtomically(Path.Combine(path, TokenizerConfig.FileName), tokenizer.Config.Completed(tokenizer.Parts).ToUtf8());
    }

    public static byte[] ReadAll(string file)
    {
        long length = new FileInfo(file).Length;
        return length <= MaxBytes
            ? File.ReadAllBytes(file)
            : throw new TokenizerFormatException(file, "", $"has {length} bytes, expected at most {MaxBytes}: this is not a tokenizer");
    }

    /// <summary>The extension tells the kind; <c>.model</c> files are SentencePiece's or, for Llama 3, tiktoken's: their bytes tell.</summary>
    private static Tokenizer Read(string file, TokenizerConfig config) => Path.GetExtension(file) switch
    {
        ".json" when VocabularyAndMerges.MergesBeside(file) is { } merges => new(VocabularyAndMerges.Read(file, merges, config)),
        ".json" => TokenizerJsonReader.Read(ReadAll(file), file),
        ".tiktoken" => new(Tiktoken.Read(ReadAll(file), file, TiktokenEncoding.Of(file))),
        ".bin" => new(Llama2cTokenizer.Read(ReadAll(file), file)),
        ".txt" => ReadLines(ReadAll(file), file, config),
        _ => ReadByContent(ReadAll(file), file, config),
    };

    private static Tokenizer ReadLines(byte[] bytes, string file, TokenizerConfig config) =>
        new(RwkvVocabulary.LooksLike(bytes) ? RwkvVocabulary.Read(bytes, file) : VocabularyText.Read(bytes, file, config));

    private static Tokenizer ReadByContent(byte[] bytes, string file, TokenizerConfig config) =>
        bytes.AsSpan().TrimStart(" \t\r\n\uFEFF"u8).StartsWith("{"u8) ? TokenizerJsonReader.Read(bytes, file)
        : Tiktoken.LooksLike(bytes) ? new(Tiktoken.Read(bytes, file, TiktokenEncoding.Of(file)))
        : new(SentencePieceReader.Read(bytes, file, config));

    private static string FindIn(string folder)
    {
        foreach (string name in s_names)
        {
            string file = Path.Combine(folder, name);
            if (File.Exists(file) && (Path.GetExtension(name) != ".json" || name == Json || VocabularyAndMerges.MergesBeside(file) is not null))
            {
                return file;
            }
        }
        string[] ranks = Directory.GetFiles(folder, "*.tiktoken");
        return ranks.Length == 1
            ? ranks[0]
            : throw new FileNotFoundException(
                $"{folder}: no tokenizer here; expected {Json}, vocab.json with merges.txt, vocab.txt, tokenizer.model or one *.tiktoken file", Path.Combine(folder, Json));
    }

    /// <summary>Writes beside the file, flushes, renames: a reader sees the old file or the new one.</summary>
    private static void WriteAtomically(string path, byte[] bytes)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
