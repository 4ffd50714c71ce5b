namespace Banyan.Tokenizers.Json;

/// <summary>Finds, reads and writes tokenizer files.</summary>
internal static class TokenizerFiles
{
    private const string Name = "tokenizer.json";

    public static Tokenizer Load(string path)
    {
        if (Directory.Exists(path))
        {
            path = Path.Combine(path, Name);
        }
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: no such file; expected a {Name} or a folder that holds one", path);
        }
        return TokenizerJsonReader.Read(File.ReadAllBytes(path), path);
    }

    public static void Save(Tokenizer tokenizer, string path)
    {
        if (Directory.Exists(path) || Path.GetExtension(path).Length == 0)
        {
            Directory.CreateDirectory(path);
            path = Path.Combine(path, Name);
        }
        WriteAtomically(path, TokenizerJsonWriter.Write(tokenizer));
    }

    /// <summary>Writes beside the file, flushes, renames: a reader sees the old file or the new one.</summary>
    public static void WriteAtomically(string path, byte[] bytes)
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
