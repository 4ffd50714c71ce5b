using System.Text.RegularExpressions;
using System.Xml.Linq;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Cli.Tests;

/// <summary>A reference only points down, tables match their folders, and nobody above the kernels touches memory.</summary>
public sealed partial class ArchitectureTests
{
    // The house's levels. A new project adds its row.
    private static readonly Dictionary<string, int> s_levels = new()
    {
        ["Tensors"] = 0, ["Tokenizers"] = 0, ["Nn"] = 1, ["Checkpoints"] = 1, ["Data"] = 1, ["Media"] = 1, ["Cuda"] = 1, ["Distributed"] = 1, ["Models"] = 2, ["Inference"] = 3,
        ["Training"] = 4, ["Evaluation"] = 5, ["Compression"] = 6, ["Alignment"] = 6, ["Interpretability"] = 6, ["Agents"] = 6, ["Classic"] = 6, ["Lab"] = 6, ["Server"] = 7, ["Cli"] = 7,
    };

    // The edge where a user's elements enter and leave a tensor, and what lies below it.
    private static readonly string[] s_edge = ["Scope.cs", "Tensor.Create.cs", "Tensor.Data.cs"];

    private static string Source => Path.Combine(SharedFolder.RepositoryRoot, "src");

    public static IEnumerable<object[]> Projects() => Directory.GetDirectories(Source).Select(p => new object[] { Path.GetFileName(p)["Banyan.".Length..] });

    [Theory, MemberData(nameof(Projects))]
    public void References_point_down(string name)
    {
        Assert.True(s_levels.ContainsKey(name), $"{name} has no level: add its row to ArchitectureTests");
        XDocument project = XDocument.Load(Path.Combine(Source, $"Banyan.{name}", $"Banyan.{name}.csproj"));
        foreach (string reference in project.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)["Banyan.".Length..]))
        {
            Assert.True(s_levels[reference] < s_levels[name], $"{name} (level {s_levels[name]}) refers to {reference} (level {s_levels[reference]})");
        }
    }

    [Theory, MemberData(nameof(Projects))]
    public void Project_is_tested_and_part_of_the_solution(string name)
    {
        string solution = File.ReadAllText(Path.Combine(SharedFolder.RepositoryRoot, "Banyan.slnx"));
        foreach (string project in new[] { $"src/Banyan.{name}/Banyan.{name}.csproj", $"tests/Banyan.{name}.Tests/Banyan.{name}.Tests.csproj" })
        {
            Assert.True(File.Exists(Path.Combine(SharedFolder.RepositoryRoot, project)), $"{project} is missing");
            Assert.True(solution.Contains($"<Project Path=\"{project}\"", StringComparison.Ordinal), $"add to Banyan.slnx: <Project Path=\"{project}\" />");
        }
    }

    [Fact]
    public void Every_architecture_has_a_row()
    {
        string registry = File.ReadAllText(Path.Combine(Source, "Banyan.Models", "ModelRegistry.cs"));
        Type[] models = [.. typeof(Model).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Model)) && !t.IsAbstract)];
        Assert.NotEmpty(models);
        Assert.All(models, t => Assert.True(registry.Contains($"new {t.Name}(", StringComparison.Ordinal),
            $"add a row to ModelRegistry.Rows: (\"{t.Name}ForCausalLM\", \"{t.Name.ToLowerInvariant()}\", c => new {t.Name}(c)),"));
    }

    [Fact]
    public void Every_verb_has_a_row()
    {
        HashSet<Type> rows = [.. CommandTree.Verbs.Select(v => v.GetType())];
        Assert.All(typeof(Verb).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Verb)) && !t.IsAbstract),
            t => Assert.True(rows.Contains(t), $"add to the table of CommandTree: new {t.Name}(),"));
    }

    public static IEnumerable<object[]> Above() => Files().Select(f => new object[] { Path.GetRelativePath(Source, f).Replace('\\', '/') });

    /// <summary>A span of sizes or of tensors is no memory of elements; a span of ids is what callers give a batch.</summary>
    [Theory, MemberData(nameof(Above))]
    public void No_pointers_and_no_spans_of_elements_above_the_kernels(string file)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Source, file));
        for (int i = 0; i < lines.Length; i++)
        {
            string code = Comment().Replace(lines[i], "");
            Assert.False(Memory().IsMatch(code), $"{file}:{i + 1} touches memory; that belongs below Banyan.Tensors/Cpu: {code.Trim()}");
        }
    }

    [Theory]
    [InlineData("float* p = x;"), InlineData("private T* _at;"), InlineData("internal unsafe class X"), InlineData("fixed (byte* p = b)"), InlineData("void F(Span<float> x)")]
    [InlineData("ReadOnlySpan<byte> b"), InlineData("MemoryMarshal.Cast<float, int>(x)"), InlineData("body.Storage!.Pointer"), InlineData("delegate*<int>")]
    public void Rule_sees(string code) => Assert.Matches(Memory(), code);

    [Theory]
    [InlineData("Span<long> sizes = stackalloc long[8];"), InlineData("params ReadOnlySpan<Tensor> x"), InlineData("x * y"), InlineData("2 * half")]
    public void Rule_allows(string code) => Assert.DoesNotMatch(Memory(), code);

    private static IEnumerable<string> Files()
    {
        string tensors = Path.Combine(Source, "Banyan.Tensors"), obj = $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}";
        return new[] { Path.Combine(tensors, "Ops"), Path.Combine(tensors, "Autograd"), Path.Combine(Source, "Banyan.Nn"), Path.Combine(Source, "Banyan.Models") }
            .SelectMany(folder => Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Concat(Directory.GetFiles(tensors, "Tensor*.cs").Concat(Directory.GetFiles(tensors, "S*.cs")).Where(f => !s_edge.Contains(Path.GetFileName(f))))
            .Where(f => !f.Contains(obj, StringComparison.Ordinal));
    }

    [GeneratedRegex("//.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(unsafe|Unsafe|MemoryMarshal|NativeMemory)\b|\bfixed ?\(|\bdelegate\*|\.Pointer\b|\b(s?byte|u?short|u?int|u?long|n?u?int|float|double|void|bool|Half|BFloat16|T\w?)\*|Span<(?!long|int|bool|Shape|Tensor)")]
    private static partial Regex Memory();
}
