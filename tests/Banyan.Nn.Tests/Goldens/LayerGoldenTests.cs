using Banyan.Testing;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>Every folder of goldens/models_extra as one named test. What has no layer yet, and whole models, are pending: skipped by name.</summary>
[Trait("Category", "Golden")]
public class LayerGoldenTests
{
    public static TheoryData<string> Cases()
    {
        var data = new TheoryData<string>();
        string? folder = SharedFolder.TryGet("goldens", "models_extra");
        if (folder is null)
        {
            data.Add("");
            return data;
        }
        foreach (string directory in Directory.GetDirectories(folder).Where(d => File.Exists(Path.Combine(d, "case.json"))).Order(StringComparer.Ordinal))
        {
            data.Add(Path.GetFileName(directory));
        }
        return data;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Matches(string name)
    {
        Assert.False(name.Length == 0 && SharedFolder.IsCi, "goldens/models_extra is missing: set BANYAN_SHARED");
        Skip.If(name.Length == 0, "goldens/models_extra is missing: set BANYAN_SHARED");
        using var c = new LayerCase(name);
        double? tolerance = LayerTable.Run(c);
        Skip.If(tolerance is null, $"pending: {name}");
        c.Check(tolerance!.Value);
    }
}
