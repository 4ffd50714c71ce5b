using System.Collections.Concurrent;
using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Tensors.Tests.Goldens;

/// <summary>
/// Every case of goldens/ops as one named test, discovered from the folder. A case whose operation has no call in the tables is pending: it is
/// skipped by name, and <c>dotnet test</c> counts it.
/// </summary>
[Trait("Category", "Golden")]
public class OpGoldenTests
{
    private static readonly ConcurrentDictionary<string, (JsonElement Json, GoldenArrays Arrays)> s_groups = new();

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        string? folder = SharedFolder.TryGet("goldens", "ops");
        if (folder is null)
        {
            data.Add("", "");
            return data;
        }
        foreach (string file in Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            string group = Path.GetFileNameWithoutExtension(file);
            if (File.Exists(Path.ChangeExtension(file, ".safetensors")))
            {
                foreach (JsonElement c in Group(group).Json.GetProperty("cases").EnumerateArray())
                {
                    data.Add(group, c.GetProperty("name").GetString()!);
                }
            }
        }
        return data;
    }

    private static (JsonElement Json, GoldenArrays Arrays) Group(string name) => s_groups.GetOrAdd(name, n =>
    {
        string path = SharedFolder.Get("goldens", "ops", n + ".json");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
        return (json.RootElement.Clone(), new GoldenArrays(Path.ChangeExtension(path, ".safetensors")));
    });

    [SkippableFact]
    public void EveryCaseOfTheFolderIsDiscovered()
    {
        string? folder = SharedFolder.TryGet("goldens", "ops");
        Skip.If(folder is null, "goldens/ops is missing: set BANYAN_SHARED");
        using JsonDocument counts = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder!, "case.json")));
        var expected = counts.RootElement.GetProperty("groups").EnumerateObject().Select(g => (g.Name, g.Value.GetInt32())).Order();
        Assert.Equal(expected, Cases().GroupBy(c => (string)c[0]).Select(g => (g.Key, g.Count())).Order());
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Matches(string group, string name)
    {
        if (group.Length == 0)
        {
            Assert.False(SharedFolder.IsCi, "goldens/ops is missing: set BANYAN_SHARED");
            Skip.If(true, "goldens/ops is missing: set BANYAN_SHARED");
        }
        var (json, arrays) = Group(group);
        JsonElement c = json.GetProperty("cases").EnumerateArray().First(e => e.GetProperty("name").GetString() == name);
        var call = OpTable.For(group).Find(name, c.GetProperty("op").GetString()!);
        Skip.If(call is null, $"pending: {group}/{name}");
        using var scope = new Scope(new() { RecordGradients = true });
        var opCase = new OpCase(c, arrays, json.GetProperty("rtol").GetDouble(), scope);
        opCase.Check(call!(opCase));
    }
}
