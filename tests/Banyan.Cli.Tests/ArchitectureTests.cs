using System.Text.RegularExpressions;
using System.Xml.Linq;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Cli.Tests;

/// <summary>A reference only points down, and tables match their folders.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Dictionary<string, int> s_levels = new()
    {
        ["Tensors"] = 0, ["Tokenizers"] = 0, ["Nn"] = 1, ["Checkpoints"] = 1, ["Data"] = 1, ["Models"] = 2, ["Inference"] = 3, ["Training"] = 4, ["Cli"] = 7,
    };

    private static string Source => Path.Combine(SharedFolder.RepositoryRoot, "src");

    [Fact]
    public void References_point_down()
    {
        foreach (string project in Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories))
        {
            string name = Path.GetFileNameWithoutExtension(project)["Banyan.".Length..];
            Assert.True(s_levels.ContainsKey(name), $"{name} has no level: add its row to ArchitectureTests");
            foreach (string reference in XDocument.Load(project).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)["Banyan.".Length..]))
            {
                Assert.True(s_levels[reference] < s_levels[name] || (name == "Checkpoints" && reference == "Tensors"), $"{name} (level {s_levels[name]}) refers to {reference} (level {s_levels[reference]})");
            }
        }
    }

    [Fact]
    public void Every_architecture_file_has_a_row()
    {
        string registry = File.ReadAllText(Path.Combine(Source, "Banyan.Models", "ModelRegistry.cs"));
        foreach (string folder in new[] { "Language", "Vision" }.Select(f => Path.Combine(Source, "Banyan.Models", f)).Where(Directory.Exists))
        {
            foreach (string file in Directory.GetFiles(folder, "*.cs"))
            {
                string text = File.ReadAllText(file), name = Path.GetFileNameWithoutExtension(file);
                if (ModelClass().IsMatch(text))
                {
                    Assert.True(registry.Contains($"new {name}", StringComparison.Ordinal), $"add a row for {name} to ModelRegistry.Rows");
                }
            }
        }
    }

    [Fact]
    public void No_pointers_above_the_kernels()
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Source, "Banyan.Tensors", "Ops"), "*.cs", SearchOption.AllDirectories)
            .Concat(new[] { "Nn", "Models", "Inference", "Training" }.SelectMany(p => Directory.GetFiles(Path.Combine(Source, "Banyan." + p), "*.cs", SearchOption.AllDirectories)))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)))
        {
            Assert.False(Pointer().IsMatch(File.ReadAllText(file)), $"{file} uses pointers; they belong below Banyan.Tensors/Cpu");
        }
    }

    [Fact]
    public void Registry_holds_what_it_says() => Assert.Contains("LlamaForCausalLM", ModelRegistry.Default.Architectures);

    [GeneratedRegex(@"class \w+ ?(\([^)]*\))? ?: (Model|CausalLanguageModel)\b")]
    private static partial Regex ModelClass();

    [GeneratedRegex(@"\b(float|double|byte|long|int|void)\*")]
    private static partial Regex Pointer();
}
