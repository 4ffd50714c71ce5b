using System.Text;
using System.Text.Json;

namespace Banyan.Checkpoints;

/// <summary><c>model.safetensors.index.json</c>: which file of a folder holds which tensor.</summary>
internal sealed class ShardIndex
{
    public const string FileName = "model.safetensors.index.json";

    private ShardIndex(Dictionary<string, string> weightMap) => WeightMap = weightMap;

    /// <summary>Tensor name to file name.</summary>
    public Dictionary<string, string> WeightMap { get; }

    public static ShardIndex Read(string path)
    {
        ConfigReader root = ConfigReader.Open(path);
        ConfigReader map = root.GetObject("weight_map");
        var weightMap = new Dictionary<string, string>();
        foreach (string name in map.Keys)
        {
            string file = map.GetString(name);
            // A shard is a plain name in the same folder: an index must not reach outside.
            if (file.Length == 0 || file is "." or ".." || file.AsSpan().IndexOfAny("/\\:\0") >= 0)
            {
                throw new CheckpointException(path, $"tensor {CheckpointException.Quote(name)} lies in {CheckpointException.Quote(file)}; "
                    + "expected the plain name of a file in the same folder");
            }
            weightMap.Add(name, file);
        }
        return new ShardIndex(weightMap);
    }

    /// <summary>Writes the index as transformers does: sorted, indented by two spaces.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, string>> weightMap, long totalBytes)
    {
        using var stream = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", totalBytes);
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach ((string name, string file) in weightMap.OrderBy(p => p.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, file);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        stream.Write(Encoding.UTF8.GetBytes("\n"));
        AtomicFile.WriteAllBytes(path, stream.ToArray());
    }
}
