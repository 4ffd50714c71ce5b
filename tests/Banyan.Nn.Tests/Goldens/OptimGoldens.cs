using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>The folder goldens/optim: cases, arrays, and parameters made from them.</summary>
internal static class OptimGoldens
{
    private static readonly Lazy<JsonElement> s_cases = new(() => Json("optim.json"));
    private static readonly Lazy<JsonElement> s_schedules = new(() => Json("schedules.json"));
    private static readonly Lazy<ArrayFile> s_inputs = new(() => new ArrayFile(SharedFolder.Get("goldens", "optim", "inputs.safetensors")));
    private static readonly Lazy<ArrayFile> s_arrays = new(() => new ArrayFile(SharedFolder.Get("goldens", "optim", "optim.safetensors")));

    public static ArrayFile Inputs => s_inputs.Value;

    public static ArrayFile Arrays => s_arrays.Value;

    /// <summary>Rows for MemberData; one empty row where the shared folder is absent.</summary>
    public static TheoryData<string> Names(string file)
    {
        var data = new TheoryData<string>();
        if (SharedFolder.TryGet("goldens", "optim") is null)
        {
            data.Add("");
            return data;
        }
        foreach (JsonElement c in All(file).GetProperty("cases").EnumerateArray())
        {
            data.Add(c.GetProperty("name").GetString()!);
        }
        return data;
    }

    public static JsonElement Case(string file, string name)
    {
        Assert.False(name.Length == 0 && SharedFolder.IsCi, "goldens/optim is missing: set BANYAN_SHARED");
        Skip.If(name.Length == 0, "goldens/optim is missing: set BANYAN_SHARED");
        return All(file).GetProperty("cases").EnumerateArray().First(c => c.GetProperty("name").GetString() == name);
    }

    /// <summary>A trainable parameter with these numbers.</summary>
    public static Parameter Parameter(string name, Tensor value) => new(name, value.Shape, Initializer.Zeros, isBuffer: false) { Value = value, IsTrainable = true };

    /// <summary>The slice t of an array [steps, ...].</summary>
    public static Tensor At(Tensor steps, int t)
    {
        Shape shape = steps.Shape.Without(0);
        return Tensor.From<float>(steps.ToArray<float>().AsSpan((int)(t * shape.Count), (int)shape.Count), shape);
    }

    /// <summary>Every element within an absolute and a relative tolerance; NaN equals NaN.</summary>
    public static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double absolute, double relative, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            bool equal = expected[i].Equals(actual[i]) || Math.Abs((double)expected[i] - actual[i]) <= absolute + relative * Math.Abs(expected[i]);
            Assert.True(equal, $"{what}[{i}]: expected {expected[i]:R}, got {actual[i]:R} (difference {Math.Abs(expected[i] - actual[i]):E2}, allowed {absolute:E2})");
        }
    }

    private static JsonElement All(string file) => file == "schedules.json" ? s_schedules.Value : s_cases.Value;

    private static JsonElement Json(string file)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get("goldens", "optim", file)));
        return json.RootElement.Clone();
    }
}

/// <summary>Reads arguments with defaults.</summary>
internal static class JsonArguments
{
    public static double Double(this JsonElement e, string name, double otherwise) =>
        e.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : otherwise;

    public static long Long(this JsonElement e, string name, long otherwise) =>
        e.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.Number ? v.GetInt64() : otherwise;

    public static bool Bool(this JsonElement e, string name, bool otherwise = false) =>
        e.TryGetProperty(name, out JsonElement v) && v.ValueKind is JsonValueKind.True or JsonValueKind.False ? v.GetBoolean() : otherwise;

    public static string Text(this JsonElement e, string name, string otherwise) =>
        e.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : otherwise;

    public static double At(this JsonElement e, string name, int index, double otherwise) =>
        e.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.Array && v[index].ValueKind == JsonValueKind.Number ? v[index].GetDouble() : otherwise;

    /// <summary>A number that may be spelled "inf" or "nan".</summary>
    public static double Number(this JsonElement e, string name) => e.GetProperty(name) is { ValueKind: JsonValueKind.String } s
        ? s.GetString() switch { "inf" => double.PositiveInfinity, "-inf" => double.NegativeInfinity, _ => double.NaN }
        : e.GetProperty(name).GetDouble();
}
