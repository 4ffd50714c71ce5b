using System.Globalization;
using System.Text;
using System.Text.Json;
using Banyan.Models.Tests.Goldens;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests;

/// <summary>docs/models.md lists what the registry has. <c>BANYAN_WRITE_DOCS=1 dotnet test tests/Banyan.Models.Tests --filter ModelsPage</c> writes it anew.</summary>
public sealed class ModelsPageTests
{
    private static readonly string s_page = Path.Combine(SharedFolder.RepositoryRoot, "docs", "models.md");

    [SkippableFact]
    public void ListsWhatTheRegistryHas()
    {
        if (Environment.GetEnvironmentVariable("BANYAN_WRITE_DOCS") == "1")
        {
            Skip.If(SharedFolder.TryGet("goldens", "models") is null, "goldens/models is missing: set BANYAN_SHARED");
            File.WriteAllText(s_page, Write());
        }
        string[] listed = [.. File.ReadLines(s_page).Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('`')[1])];
        Assert.Equal(ModelRegistry.Default.Architectures.Order(StringComparer.OrdinalIgnoreCase), listed.Order(StringComparer.OrdinalIgnoreCase));
    }

    private static string Write()
    {
        var text = new StringBuilder("""
            # Architectures

            Written from the registry and the reference cases by `BANYAN_WRITE_DOCS=1 dotnet test tests/Banyan.Models.Tests --filter ModelsPage`; do not edit. *Error* is the largest difference from the
            reference library among outputs, losses and hidden states of the cases, as a share of the largest element of the tensor (float32). Each case also compares the gradients of all weights and, where the reference
            has them, greedy ids, cached decoding and left padding. Run one with `banyan forward FOLDER --inputs in.safetensors --outputs out.safetensors`.

            | architecture | class | what its cases cover | error |
            |---|---|---|---|

            """);
        var cases = Golden.Cases("goldens", "models").Select(c => (string)c[0]).Where(n => !GoldenModel.IsPending(n)).Select(Measure).ToLookup(c => c.Architecture);
        foreach (string architecture in ModelRegistry.Default.Architectures.Order(StringComparer.OrdinalIgnoreCase))
        {
            var own = cases[architecture].ToArray();
            string features = own.Length == 0 ? "no case of its own: shares its parts with those that have one" : string.Join("; ", own.Select(c => c.Features).Distinct());
            string error = own.Length == 0 ? "" : own.Max(c => c.Error).ToString("0.0e0", CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"| `{architecture}` | {(own.Length == 0 ? "" : own[0].Class)} | {features.Replace("|", "\\|", StringComparison.Ordinal)} | {error} |\n");
        }
        return text.ToString();
    }

    private static (string Architecture, string Class, string Features, double Error) Measure(string name)
    {
        using var golden = GoldenModel.Open(name);
        double worst = 0;
        foreach ((string key, Tensor value) in ForwardRun.Run(golden.Model, golden.Inputs()).Where(r => golden.Has(r.Name) && golden.Get(r.Name).DType.IsFloat))
        {
            double[] expected = golden.Real(key, golden.Get(key)), actual = golden.Real(key, value);
            double largest = expected.Select(Math.Abs).DefaultIfEmpty(0).Max();
            worst = Math.Max(worst, expected.Zip(actual, (e, a) => Math.Abs(e - a)).DefaultIfEmpty(0).Max() / Math.Max(largest, 1e-6));
        }
        string architecture = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(golden.Folder, "config.json"))).RootElement.GetProperty("architectures")[0].GetString()!;
        return (architecture, golden.Model.GetType().Name, golden.Case.GetProperty("features").GetString()!, worst);
    }
}
