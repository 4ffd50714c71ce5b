using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Banyan.Checkpoints;

/// <summary>Writes a model of any format as a Hugging Face folder: <c>config.json</c> and safetensors, tensor by tensor.</summary>
public static class FolderExport
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    // What else belongs to a model and is copied from a folder as it is.
    private static readonly string[] s_companions =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
        "chat_template.jinja", "chat_template.json", "generation_config.json", "preprocessor_config.json", "processor_config.json", "README.md", "LICENSE",
    ];

    /// <summary>Writes the folder.</summary>
    /// <param name="source">The model.</param>
    /// <param name="folder">Where it will be; created where it is missing.</param>
    /// <param name="quantizedAs">The type of tensors that are in blocks; null: bfloat16. Others keep theirs.</param>
    /// <param name="progress">Told how many bytes of tensors are written.</param>
    /// <param name="cancellation">Stops; files that are begun do not appear.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Write(IModelReader source, string folder, DType? quantizedAs = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        StoredType blocks = StoredType.From(quantizedAs ?? DType.BFloat16);
        TensorEntry[] entries = [.. source.Names.Select(source.Get).Select(e => source is GgufModel g && g.IsQuantized(e.Name) ? new TensorEntry(e.Name, blocks, e.Shape.ToArray()) : e)];
        Directory.CreateDirectory(folder);
        using var writer = ShardedSafetensorsWriter.Create(folder, entries);
        long written = 0;
        foreach (TensorEntry entry in entries)
        {
            cancellation.ThrowIfCancellationRequested();
            if (source is GgufModel gguf)
            {
                gguf.Write(entry.Name, entry.Type, bytes => writer.Write(entry.Name, bytes.Span), cancellation);
            }
            else
            {
                using TensorBytes bytes = source.Map(entry.Name);
                writer.Write(entry.Name, bytes);
            }
            progress?.Report(written += entry.ByteCount);
        }
        writer.Commit();
        AtomicFile.WriteAllBytes(Path.Combine(folder, "config.json"), Encoding.UTF8.GetBytes(Config(source, entries)));
        foreach (string name in Directory.Exists(source.Path) ? s_companions.Where(n => File.Exists(Path.Combine(source.Path, n))) : [])
        {
            AtomicFile.WriteAllBytes(Path.Combine(folder, name), File.ReadAllBytes(Path.Combine(source.Path, name)));
        }
    }

    // Other libraries load weights in the type that the configuration names.
    private static string Config(IModelReader source, TensorEntry[] entries)
    {
        var config = JsonNode.Parse(source.ReadConfig().Json)!.AsObject();
        config.Remove("quantization_config");
        DType? type = entries.FirstOrDefault(e => e.Shape.Length > 1)?.Type.DType;
        if (!config.ContainsKey("torch_dtype") && !config.ContainsKey("dtype") && type is not null && type.IsFloat)
        {
            config["torch_dtype"] = type.Name;
        }
        return config.ToJsonString(s_indented);
    }
}
