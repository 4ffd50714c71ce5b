using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Every decoder-only architecture of the goldens keeps the promise of reproducibility: threads, batches, caches and saving change no bit.</summary>
[Trait("Category", "Golden")]
public sealed class ModelPromiseTests
{
    public static IEnumerable<object[]> Cases() => Golden.Cases("goldens", "models");

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Same_bits(string name)
    {
        string folder = SharedFolder.Get("goldens", "models", name);
        ConfigReader config = ConfigReader.Open(Path.Combine(folder, "config.json"));
        Skip.IfNot(config.GetStrings("architectures").Any(ModelRegistry.Default.Architectures.Contains), $"pending: models/{name}");
        Skip.IfNot(ModelRegistry.Default.Create(config) is CausalLanguageModel, "no decoder-only model");
        // Where frequencies depend on the length so far, the reference's cached pass differs from the full one too.
        bool stretches = config.GetOptionalObject("rope_parameters")?.GetString("rope_type", "default") is "dynamic" or "longrope";
        Assert.All(ModelVerification.Run(folder).Where(c => !(stretches && c.Name is "cached = full" or "batch invariance")), check => Assert.True(check.Pass, $"{check.Name}: {check.Detail}"));
    }
}
