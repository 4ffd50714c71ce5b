using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

[Trait("Category", "Golden")]
public class SafetensorsGoldenTests
{
    private static readonly string[] Good = ["goldens", "quant", "safetensors", "good"];
    private static readonly string[] Malformed = ["goldens", "quant", "safetensors", "malformed"];

    public static IEnumerable<object[]> GoodFiles() => Golden.Files("*.safetensors", Good);

    public static IEnumerable<object[]> MalformedFiles() => Golden.Files("*.safetensors", Malformed);

    public static IEnumerable<object[]> MalformedIndices() => Golden.Files("*.json", Malformed).Where(r => (string)r[0] != "case.json");

    [GoldenTheory, MemberData(nameof(GoodFiles))]
    public void Reads_the_values_of_the_reference(string file)
    {
        using Golden golden = Golden.Open(Good);
        JsonElement expected = golden.Json.GetProperty("results").GetProperty(file.Split('/', '.')[0]);
        using SafetensorsFile opened = SafetensorsFile.Open(Path.Combine(golden.Folder, file));
        foreach (string name in opened.Names)
        {
            if (expected.GetProperty("values").TryGetProperty(name, out JsonElement values))
            {
                CompareValues(opened, name, values);
            }
        }
        if (!file.Contains('/'))
        {
            Assert.Equal(expected.GetProperty("values").EnumerateObject().Select(p => p.Name).Order(), opened.Names.Order());
        }
        if (expected.TryGetProperty("metadata", out JsonElement metadata))
        {
            Assert.Equal(metadata.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!), opened.Metadata);
        }
    }

    [GoldenTheory, MemberData(nameof(MalformedFiles))]
    public void Accepts_or_refuses_as_the_description_says(string file)
    {
        using Golden golden = Golden.Open(Malformed);
        string verdict = golden.Json.GetProperty("results").GetProperty(Path.GetFileNameWithoutExtension(file)).GetProperty("expected").GetString()!;
        string path = Path.Combine(golden.Folder, file);
        Exception? error = Record.Exception(() => ReadAll(path));
        if (verdict == "ok")
        {
            Assert.Null(error);
        }
        else if (verdict == "error" || error is not null)
        {
            Assert.StartsWith(path + ": ", Assert.IsType<CheckpointException>(error).Message);
        }
    }

    [GoldenTheory, MemberData(nameof(MalformedIndices))]
    public void Refuses_a_bad_shard_index(string file)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(SharedFolder.Get(Malformed), file), folder["model.safetensors.index.json"]);
        Assert.Contains("model.safetensors.index.json", Assert.Throws<CheckpointException>(() => ModelFolder.Open(folder.Path)).Message);
    }

    private static void ReadAll(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (string name in file.Names)
        {
            file.Read(name, new byte[file.Get(name).ByteCount]);
        }
    }

    private static void CompareValues(SafetensorsFile file, string name, JsonElement values)
    {
        TensorEntry entry = file.Get(name);
        var bytes = new byte[entry.ByteCount];
        file.Read(name, bytes);
        var expected = new List<JsonElement>();
        Flatten(values, expected);
        string type = entry.Type.Name;
        if (type == "U64")
        {
            Assert.Equal(expected.Select(e => e.GetUInt64()), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes).ToArray());
        }
        else if (type == "BOOL")
        {
            Assert.Equal(expected.Select(e => e.GetBoolean()), bytes.Select(b => b == 1));
        }
        else if (type.StartsWith("F8", StringComparison.Ordinal))
        {
            Assert.Equal(entry.ElementCount, expected.Count); // decoding 8-bit floats is the tensors' business
        }
        else
        {
            Assert.Equal(expected.Select(e => e.GetDouble()), ElementReader.Doubles(type == "C64" ? "F32" : type, bytes));
        }
    }

    private static void Flatten(JsonElement value, List<JsonElement> into)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            into.Add(value);
            return;
        }
        foreach (JsonElement item in value.EnumerateArray())
        {
            Flatten(item, into);
        }
    }
}
