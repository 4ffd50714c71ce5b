using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>A context that is stretched at load computes what a configuration that says so computes.</summary>
public sealed class RopeScalingTests
{
    [SkippableTheory]
    [InlineData("llama_yarn", "yarn", 4, 32), InlineData("llama_linear", "linear", 2, null)]
    public void A_scaling_at_load_is_that_of_the_configuration(string name, string type, double factor, int? original)
    {
        string folder = SharedFolder.Get("goldens", "convert", name, "hf"), copy = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(copy);
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }
            JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(copy, "config.json")))!.AsObject();
            config.Remove("rope_scaling");
            File.WriteAllText(Path.Combine(copy, "config.json"), config.ToJsonString());
            float[] expected = Logits(LanguageModel.Load(folder)), plain = Logits(LanguageModel.Load(copy)), scaled = Logits(LanguageModel.Load(copy, rope: new(type, factor, original)));
            Assert.Equal(expected, scaled);
            Assert.NotEqual(expected, plain);
            Assert.Equal(plain, Logits(LanguageModel.Load(folder, rope: new("none", 1))));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    [SkippableFact]
    public void A_longer_text_fits()
    {
        string path = SharedFolder.Get("goldens", "gguf", "llama-F32.gguf");
        LanguageModel own = LanguageModel.Load(path), longer = LanguageModel.Load(path, rope: new("ntk", 3));
        Assert.Equal(3 * own.Model.MaxPositions, longer.Model.MaxPositions);
        Assert.Throws<ArgumentException>(() => LanguageModel.Load(path, rope: new("yarn", 0.5)));
        Assert.Contains("no rotary", Assert.Throws<CheckpointException>(() => LanguageModel.Load(SharedFolder.Get("goldens", "convert", "mpt", "model-f16.gguf"), rope: new("linear", 2))).Message, StringComparison.Ordinal);
    }

    private static float[] Logits(LanguageModel lm) =>
        ForwardRun.Run(lm.Model, new Dictionary<string, Tensor> { ["input_ids"] = Tensor.From(Enumerable.Range(3, 30).Select(i => (long)i).ToArray(), [1, 30]) }).First(r => r.Name == "out.logits").Value.ToArray<float>();
}
