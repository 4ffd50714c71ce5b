using Banyan.Checkpoints;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>The tokenizer that comes with a model: in its folder, in its GGUF file, or beside its file.</summary>
internal static class ModelTokenizer
{
    private static readonly string[] s_files = ["tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt"];

    /// <summary>Reads it; null where there is none.</summary>
    public static Tokenizer? Find(IModelReader model)
    {
        if (model is GgufModel gguf)
        {
            return GgufTokenizer.Read(gguf.File.Metadata);
        }
        if (Directory.Exists(model.Path))
        {
            return HasOne(model.Path) ? Tokenizer.Load(model.Path) : null;
        }
        string folder = Path.GetDirectoryName(Path.GetFullPath(model.Path))!;
        return Directory.EnumerateFiles(folder, "tok*.bin").Order(StringComparer.Ordinal).FirstOrDefault() is { } file ? Tokenizer.Load(file) : null; // llama2.c's
    }

    /// <summary>Whether a folder has a tokenizer.</summary>
    public static bool HasOne(string folder) => s_files.Any(f => File.Exists(Path.Combine(folder, f)));
}
