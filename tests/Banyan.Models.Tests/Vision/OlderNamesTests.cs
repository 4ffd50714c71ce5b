using Banyan.Checkpoints;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Vision;

/// <summary>Checkpoints from before transformers 5, whose tensors have other names, give the same model.</summary>
public sealed class OlderNamesTests
{
    [SkippableTheory]
    [InlineData("llava", "vision_tower.", "vision_tower.vision_model."), InlineData("paligemma", "vision_tower.", "vision_tower.vision_model.")]
    [InlineData("vit_mae", "decoder.decoder_encoder.layer.", "decoder.decoder_layers.")]
    public void AreRead(string name, string now, string before)
    {
        string? folder = SharedFolder.TryGet("goldens", "models", name);
        Skip.If(folder is null, "goldens/models is missing: set BANYAN_SHARED");
        string older = Directory.CreateTempSubdirectory("banyan-names-").FullName;
        try
        {
            File.Copy(Path.Combine(folder!, "config.json"), Path.Combine(older, "config.json"));
            using (SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder!, "model.safetensors")))
            {
                Assert.Contains(file.Names, n => n.StartsWith(now, StringComparison.Ordinal));
                SafetensorsWriter.Write(Path.Combine(older, "model.safetensors"), file.Names.Select(n => (n.StartsWith(now, StringComparison.Ordinal) ? before + n[now.Length..] : n, file.LoadTensor(n))));
            }
            Dictionary<string, double[]> expected = Weights(folder!), actual = Weights(older);
            Assert.All(expected, p => Assert.Equal(p.Value, actual[p.Key]));
        }
        finally
        {
            Directory.Delete(older, recursive: true);
        }
    }

    private static Dictionary<string, double[]> Weights(string folder) => ModelFiles.Load(folder).NamedParameters().ToDictionary(p => p.Name, p => p.Parameter.Value.ToDoubles());
}
