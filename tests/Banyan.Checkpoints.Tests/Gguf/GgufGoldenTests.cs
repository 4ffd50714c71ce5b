using System.Globalization;
using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

/// <summary>GGUF files of the reference package: read with every metadata type, written again to the byte, malformed ones refused.</summary>
[Trait("Category", "Golden")]
public sealed class GgufGoldenTests
{
    private static JsonElement Results(string folder) => Golden.Open("goldens", "quant", "gguf", folder).Json.GetProperty("results");

    public static IEnumerable<object[]> Files() => Results("files").EnumerateObject().Select(p => new object[] { p.Name });

    public static IEnumerable<object[]> Malformed() => Results("malformed").EnumerateObject().Select(p => new object[] { p.Name });

    [GoldenTheory, MemberData(nameof(Files))]
    public void File_is_read_as_the_reference_reads_it(string name)
    {
        using Golden golden = Golden.Open("goldens", "quant", "gguf", "files");
        JsonElement one = golden.Json.GetProperty("results").GetProperty(name);
        string path = Path.Combine(golden.Folder, one.GetProperty("file").GetString()!);
        if (name == "big_endian")
        {
            Assert.Contains("big-endian", Assert.Throws<CheckpointException>(() => GgufFile.Open(path)).Message);
            return;
        }
        using GgufFile file = GgufFile.Open(path);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(golden.Folder, "tensors.safetensors"));
        foreach (JsonElement tensor in one.GetProperty("tensors").EnumerateArray())
        {
            string tensorName = tensor.GetProperty("name").GetString()!;
            TensorEntry entry = file.Get(tensorName);
            Assert.Equal(tensor.GetProperty("type").GetString(), entry.Type.Name);
            Assert.Equal(tensor.GetProperty("dims_gguf_order").EnumerateArray().Select(d => d.GetInt64()).Reverse(), entry.Shape.ToArray());
            if (entry.Type.DType is { } type)
            {
                Tensor wanted = expected.LoadTensor($"{name}/{tensorName}", DType.Float64);
                Assert.Equal(wanted.ToArray<double>(), file.LoadTensor(tensorName, DType.Float64).ToArray<double>());
            }
        }
        if (name.StartsWith("split", StringComparison.Ordinal))
        {
            Assert.Equal(["blk.0.w", "blk.1.w", "blk.2.w", "blk.3.w", "blk.4.w"], file.Names);
            return; // whose metadata is that of the first part, whichever part was named
        }
        foreach (JsonProperty key in one.GetProperty("metadata").EnumerateObject().Where(p => !p.Name.StartsWith("GGUF.", StringComparison.Ordinal)))
        {
            CheckValue(key.Name, key.Value.GetProperty("value"), file.Metadata[key.Name]);
            string[] types = [.. key.Value.GetProperty("types").EnumerateArray().Select(t => t.GetString()!)];
            Assert.Equal(types[0], file.Metadata[key.Name].Type.ToString().ToUpperInvariant());
        }
    }

    [GoldenTheory, MemberData(nameof(Files))]
    public void File_is_written_again_to_the_byte(string name)
    {
        string path = SharedFolder.Get("goldens", "quant", "gguf", "files", Results("files").GetProperty(name).GetProperty("file").GetString()!);
        if (name == "big_endian" || name.StartsWith("split", StringComparison.Ordinal))
        {
            return;
        }
        using var folder = new TemporaryFolder();
        using GgufFile file = GgufFile.Open(path);
        using (GgufWriter writer = GgufWriter.Create(folder["again.gguf"], file.Metadata, [.. file.Names.Select(n => file.Get(n))]))
        {
            foreach (string tensor in file.Names)
            {
                using TensorBytes bytes = file.Map(tensor);
                writer.Write(tensor, bytes.Span);
            }
            writer.Commit();
        }
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(folder["again.gguf"]));
    }

    [GoldenTheory, MemberData(nameof(Malformed))]
    public void Malformed_file_is_refused_soon(string name)
    {
        using Golden golden = Golden.Open("goldens", "quant", "gguf", "malformed");
        JsonElement one = golden.Json.GetProperty("results").GetProperty(name);
        string path = Path.Combine(golden.Folder, one.GetProperty("file").GetString()!);
        long before = GC.GetAllocatedBytesForCurrentThread();
        CheckpointException? error = null;
        try
        {
            using GgufFile file = GgufFile.Open(path);
        }
        catch (CheckpointException e)
        {
            error = e;
        }
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 16 << 20, "allocated too much");
        string expected = one.GetProperty("expected").GetString()!;
        Assert.True(expected != "error" || error is not null, "was read");
        Assert.True(expected != "ok" || error is null, error?.Message);
    }

    private static void CheckValue(string key, JsonElement expected, GgufValue actual)
    {
        if (actual.Value is Array array)
        {
            Assert.Equal(expected.GetArrayLength(), array.Length);
            foreach ((JsonElement e, object a) in expected.EnumerateArray().Zip(array.Cast<object>()))
            {
                CheckValue(key, e, a as GgufValue ?? new GgufValue(actual.ElementType!.Value, a));
            }
            return;
        }
        object value = expected.ValueKind switch
        {
            JsonValueKind.String => expected.GetString()!,
            JsonValueKind.True or JsonValueKind.False => expected.GetBoolean(),
            _ => Convert.ChangeType(actual.Value is float or double ? expected.GetDouble() : expected.GetDecimal(), actual.Value.GetType(), CultureInfo.InvariantCulture),
        };
        Assert.Equal((key, value), (key, actual.Value));
    }
}
