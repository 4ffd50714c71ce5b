using System.Globalization;
using System.Text.Json;
using Banyan.Checkpoints.Gguf;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests.Gguf;

/// <summary>Hugging Face folders written as GGUF: the metadata and tensors that llama.cpp's own converter writes.</summary>
[Trait("Category", "Golden")]
public sealed class GgufExportTests
{
    public static IEnumerable<object[]> Files() => SharedFolder.TryGet("goldens", "convert") is not { } root ? [] : Directory.EnumerateFiles(root, "model-*.gguf", SearchOption.AllDirectories)
        .Where(f => Directory.Exists(Path.Combine(Path.GetDirectoryName(f)!, "hf")) && !f.Contains("-of-", StringComparison.Ordinal)).Order().Select(f => new object[] { Path.GetRelativePath(root, f) });

    public static IEnumerable<object[]> Names() => SharedFolder.TryGet("goldens", "convert", "names", "case.json") is not { } file ? [] : Enumerable.Range(0, Rows(file).Count).Select(i => new object[] { i });

    [SkippableTheory, MemberData(nameof(Files))]
    public void Metadata_is_that_of_the_reference(string file)
    {
        using GgufFile expected = GgufFile.Open(Full(file));
        using ModelFolder folder = ModelFolder.Open(Hf(file));
        GgufMetadata actual = Plan(folder, file).Metadata;
        string[] wrong = [.. expected.Metadata.Keys.Concat(actual.Keys).Distinct().Where(k => !k.StartsWith("tokenizer.", StringComparison.Ordinal))
            .Select(k => (Key: k, Expected: Show(expected.Metadata, k), Actual: Show(actual, k))).Where(v => v.Expected != v.Actual).Select(v => $"{v.Key}: {v.Actual}, expected {v.Expected}")];
        Assert.True(wrong.Length == 0, string.Join("\n", wrong));
    }

    [SkippableTheory, MemberData(nameof(Files))]
    public void Tensors_are_those_of_the_reference(string file)
    {
        using GgufFile expected = GgufFile.Open(Full(file));
        using ModelFolder folder = ModelFolder.Open(Hf(file));
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.gguf");
        try
        {
            Plan(folder, file).Write(path);
            using GgufFile actual = GgufFile.Open(path);
            Assert.Equal(expected.Names.Order(StringComparer.Ordinal), actual.Names.Order(StringComparer.Ordinal));
            foreach (string name in expected.Names)
            {
                TensorEntry e = expected.Get(name), a = actual.Get(name);
                Assert.Equal((name, e.Type.Name, string.Join(',', e.Shape.ToArray())), (name, a.Type.Name, string.Join(',', a.Shape.ToArray())));
                if (e.Type.Name == "MXFP4")
                {
                    // The same numbers may have several forms.
                    Assert.Equal(Numbers(expected, e), Numbers(actual, a));
                    continue;
                }
                byte[] wanted = new byte[e.ByteCount], found = new byte[a.ByteCount];
                expected.Read(name, wanted);
                actual.Read(name, found);
                Assert.True(wanted.AsSpan().SequenceEqual(found) || (name.EndsWith("ssm_a", StringComparison.Ordinal) && IsNear(wanted, found)), $"{name}: other numbers");
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [SkippableTheory, MemberData(nameof(Names))]
    public void Names_are_understood_as_the_reference_does(int row)
    {
        JsonElement golden = Rows(SharedFolder.Get("goldens", "convert", "names", "case.json"))[row];
        ModelName name = ModelName.Parse(golden.GetProperty("directory").GetString()!, golden.GetProperty("parameters").GetInt64());
        Assert.Equal((Text("name"), Text("organization"), Text("basename"), Text("finetune"), Text("version"), Text("size_label")),
            (ModelName.Title(name.Full), name.Organization, name.Basename, name.Finetune, name.Version, name.SizeLabel));

        string? Text(string key) => golden.TryGetProperty(key, out JsonElement value) ? value.GetString() : null;
    }

    private static GgufExport Plan(ModelFolder folder, string file)
    {
        try
        {
            return GgufExport.Plan(folder, new() { Type = Path.GetFileNameWithoutExtension(file)["model-".Length..] });
        }
        catch (CheckpointException e) when (e.Message.Contains("has no form in GGUF here", StringComparison.Ordinal))
        {
            Skip.If(true, e.Message);
            throw;
        }
    }

    private static float[] Numbers(GgufFile file, TensorEntry entry)
    {
        var values = new float[entry.ElementCount];
        using TensorBytes bytes = file.Map(entry.Name);
        Banyan.Quant.BlockFormats.FromName(entry.Type.Name)!.Dequantize(bytes.Span, values);
        return values;
    }

    private static string Show(GgufMetadata metadata, string key) => !metadata.TryGet(key, out GgufValue? value) ? "nothing"
        : $"{value.TypeName} " + (value.Value is Array array ? string.Join(' ', array.Cast<object>().Select(Invariant)) : Invariant(value.Value));

    private static string Invariant(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static bool IsNear(byte[] a, byte[] b) => a.Length == b.Length && Enumerable.Range(0, a.Length / 4).All(i => Math.Abs(BitConverter.ToSingle(a, 4 * i) - BitConverter.ToSingle(b, 4 * i)) <= 1e-6 * Math.Abs(BitConverter.ToSingle(a, 4 * i)));

    private static List<JsonElement> Rows(string file) => [.. JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("rows").EnumerateArray()];

    private static string Full(string file) => SharedFolder.Get(["goldens", "convert", .. file.Split(Path.DirectorySeparatorChar)]);

    private static string Hf(string file) => Path.Combine(Path.GetDirectoryName(Full(file))!, "hf");
}
