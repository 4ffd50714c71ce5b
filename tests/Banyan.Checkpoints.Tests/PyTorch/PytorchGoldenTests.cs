using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

/// <summary>Files of torch.save: good ones are read as PyTorch reads them, hostile ones refused, and nothing runs.</summary>
[Trait("Category", "Golden")]
public sealed class PytorchGoldenTests
{
    private static IEnumerable<object[]> Cases(string folder) => Golden.Open("goldens", "quant", "pickle", folder).Json.GetProperty("results").EnumerateObject().Select(p => new object[] { p.Name });

    public static IEnumerable<object[]> Good() => Cases("good");

    public static IEnumerable<object[]> Hostile() => Cases("hostile");

    public static IEnumerable<object[]> Vectors() => Directory.EnumerateFiles(SharedFolder.Get("assets", "vectors", "pytorch-pickle"), "*.pt").Order().Select(f => new object[] { Path.GetFileName(f) });

    [GoldenTheory, MemberData(nameof(Good))]
    public void Good_file_is_read_as_PyTorch_reads_it(string name)
    {
        using Golden golden = Golden.Open("goldens", "quant", "pickle", "good");
        JsonElement one = golden.Json.GetProperty("results").GetProperty(name);
        string path = Path.Combine(golden.Folder, name);
        if (one.TryGetProperty("optional", out JsonElement optional) && optional.GetBoolean())
        {
            Assert.Contains(name, Assert.Throws<CheckpointException>(() => PytorchFile.Open(path)).Message);
            return;
        }
        using PytorchFile file = PytorchFile.Open(path);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(golden.Folder, one.GetProperty("expected").GetString()!));
        Assert.Equal(expected.Names.Order(), file.Names.Order());
        foreach (string tensor in expected.Names)
        {
            TensorEntry entry = expected.Get(tensor);
            Assert.Equal(entry.Shape.ToArray(), file.Get(tensor).Shape.ToArray());
            Assert.Equal(Elements(expected, tensor), Elements(file, tensor));
        }
        if (one.TryGetProperty("other", out JsonElement other))
        {
            CheckValues("", other, file.Values);
        }
    }

    [GoldenTheory, MemberData(nameof(Hostile))]
    public void Hostile_file_is_refused_and_nothing_runs(string name)
    {
        using Golden golden = Golden.Open("goldens", "quant", "pickle", "hostile");
        JsonElement one = golden.Json.GetProperty("results").GetProperty(name);
        string path = Path.Combine(golden.Folder, name);
        long before = GC.GetAllocatedBytesForCurrentThread();
        CheckpointException? error = null;
        try
        {
            using PytorchFile file = PytorchFile.Open(path);
            foreach (string tensor in file.Names)
            {
                using TensorBytes bytes = file.Map(tensor);
            }
        }
        catch (CheckpointException e)
        {
            error = e;
        }
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20, "allocated too much");
        Assert.False(File.Exists("PWNED"));
        string expected = one.GetProperty("expected").GetString()!;
        Assert.True(expected != "error" || error is not null, "was read");
        Assert.True(expected != "ok" || error is null, error?.Message);
    }

    [GoldenTheory, MemberData(nameof(Vectors))]
    public void Real_file_is_read_completely_or_refused(string name)
    {
        string path = SharedFolder.Get("assets", "vectors", "pytorch-pickle", name);
        if (name == "broken.pt")
        {
            Assert.Throws<CheckpointException>(() => PytorchFile.Open(path));
            return;
        }
        using PytorchFile file = PytorchFile.Open(path);
        Assert.All(file.Names, tensor => Assert.Equal(file.Get(tensor).ElementCount, Elements(file, tensor).Length));
        Assert.True(file.Names.Count > 0 || name == "empty.pt");
    }

    // As the expected file has them: floats as float32, integers widened.
    private static double[] Elements(ICheckpointReader file, string name)
    {
        TensorEntry entry = file.Get(name);
        var bytes = new byte[entry.ByteCount];
        file.Read(name, bytes);
        return [.. Enumerable.Range(0, (int)entry.ElementCount).Select(i => Element(bytes.AsSpan(i * entry.Type.BlockBytes, entry.Type.BlockBytes), entry.Type))];
    }

    private static double Element(ReadOnlySpan<byte> bytes, StoredType type) => type.Name switch
    {
        "F64" => (float)BitConverter.ToDouble(bytes),
        "F32" => BitConverter.ToSingle(bytes),
        "F16" => (double)BitConverter.ToHalf(bytes),
        "BF16" => new BFloat16(BitConverter.ToUInt16(bytes)),
        "F8_E4M3" => new Float8E4M3FN(bytes[0]),
        "F8_E5M2" => new Float8E5M2(bytes[0]),
        "F8_E4M3FNUZ" => new Float8E4M3FNUZ(bytes[0]),
        "F8_E5M2FNUZ" => new Float8E5M2FNUZ(bytes[0]),
        "I64" => BitConverter.ToInt64(bytes),
        "I32" => BitConverter.ToInt32(bytes),
        "I16" => BitConverter.ToInt16(bytes),
        "I8" => (sbyte)bytes[0],
        "U8" or "BOOL" => bytes[0],
        "U16" => BitConverter.ToUInt16(bytes),
        "U32" => BitConverter.ToUInt32(bytes),
        "U64" => BitConverter.ToUInt64(bytes),
        _ => throw new InvalidOperationException(type.Name),
    };

    private static void CheckValues(string path, JsonElement expected, IReadOnlyDictionary<string, object?> values)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty p in expected.EnumerateObject())
                {
                    CheckValues(path.Length == 0 ? p.Name : $"{path}.{p.Name}", p.Value, values);
                }
                break;
            case JsonValueKind.Array when values.TryGetValue(path, out object? bytes):
                Assert.Equal(expected.EnumerateArray().Select(b => b.GetByte()), (byte[])bytes!);
                break;
            case JsonValueKind.Array:
                int i = 0;
                foreach (JsonElement item in expected.EnumerateArray())
                {
                    CheckValues($"{path}.{i++}", item, values);
                }
                break;
            default:
                object? got = values.TryGetValue(path, out object? value) ? value : values["optimizer." + path];   // the golden names them without their parent
                object? wanted = expected.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.True => true,
                    JsonValueKind.False => false,
                    JsonValueKind.String => got is BigInteger ? BigInteger.Parse(expected.GetString()!, CultureInfo.InvariantCulture) : expected.GetString(),
                    _ => got is double ? expected.GetDouble() : (object)expected.GetInt64(),
                };
                Assert.Equal(wanted, got);
                break;
        }
    }
}
