using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;
using Banyan.Tokenizers;

namespace Banyan.Inference.Tests.Gguf;

/// <summary>Whole conversions: a folder becomes a GGUF file and a folder again, with the same tensors and the same tokens; what a format cannot hold is refused.</summary>
[Trait("Category", "Golden")]
public sealed class ModelConverterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("banyan-convert-").FullName;

    public static IEnumerable<object[]> Folders() => SharedFolder.TryGet("goldens", "convert") is not { } root ? [] : Directory.EnumerateDirectories(root).Where(d => Directory.Exists(Path.Combine(d, "hf")))
        .Select(d => Path.GetFileName(d)).Order().Select(f => new object[] { f });

    [SkippableTheory, MemberData(nameof(Folders))]
    public void A_folder_comes_back(string name)
    {
        string hf = SharedFolder.Get("goldens", "convert", name, "hf"), gguf = Path.Combine(_folder, "model.gguf"), back = Path.Combine(_folder, "back");
        try
        {
            ModelConverter.ToGguf(hf, gguf, new() { Type = "f32" });
        }
        catch (CheckpointException e) when (name is "mistral" or "phimoe" && e.Message.Contains("cannot hold", StringComparison.Ordinal))
        {
            Assert.False(File.Exists(gguf)); // GGUF has no window for its llama, and no jitter of the router for phimoe
            Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
            return;
        }
        catch (CheckpointException e) when (e.Message.Contains("has no form in GGUF here", StringComparison.Ordinal))
        {
            Skip.If(true, e.Message);
        }
        ModelConverter.ToFolder(gguf, back);
        using ModelFolder before = ModelFolder.Open(hf), after = ModelFolder.Open(back);
        Assert.NotEmpty(after.Names);
        using GgufFile file = GgufFile.Open(gguf);
        Tokenizer expected = GgufTokenizer.Read(file.Metadata)!, actual = Tokenizer.Load(back);
        foreach (string text in new[] { "Hello world, it's 2024!", "  two  spaces\n漢字 😀", "" })
        {
            Assert.Equal(expected.Encode(text).Ids, actual.Encode(text).Ids);
        }
        Assert.Equal(expected.ChatTemplate, actual.ChatTemplate);
    }

    [SkippableFact]
    public void A_quantized_file_becomes_a_folder_and_a_smaller_file()
    {
        string hf = SharedFolder.Get("goldens", "convert", "llama", "hf"), small = Path.Combine(_folder, "q8.gguf"), back = Path.Combine(_folder, "back");
        ConversionResult result = ModelConverter.ToGguf(hf, small, new() { Type = "q8_0", Name = "Tiny Test" });
        Assert.InRange(result.Difference!.Value, 1e-6, result.Allowed);
        Assert.Equal("LlamaForCausalLM", ModelConverter.ToFolder(small, back).Architecture);
        using GgufFile file = GgufFile.Open(small);
        Assert.Equal("Tiny Test", file.Metadata.GetString("general.name"));
        Assert.Throws<CheckpointException>(() => ModelConverter.ToFolder(small, back));
    }

    [SkippableTheory]
    [InlineData("lora")]
    [InlineData("lora_rslora")]
    public void An_adapter_becomes_the_reference_file_and_comes_back(string name)
    {
        string adapter = SharedFolder.Get("goldens", "convert", name, "adapter"), model = SharedFolder.Get("goldens", "convert", "llama", "hf"), file = Path.Combine(_folder, "adapter.gguf"), back = Path.Combine(_folder, "back");
        Assert.True(LoraCheckpoint.Is(adapter));
        ModelConverter.Adapter(adapter, model, file);
        using GgufFile expected = GgufFile.Open(SharedFolder.Get("goldens", "convert", name, "adapter-f32.gguf")), actual = GgufFile.Open(file);
        Assert.Equal(expected.Metadata.Keys.Select(k => $"{k} {expected.Metadata[k]}").Order(), actual.Metadata.Keys.Select(k => $"{k} {actual.Metadata[k]}").Order());
        Assert.Equal(expected.Names.Order(), actual.Names.Order());
        Assert.All(expected.Names, n => Assert.Equal(expected.LoadTensor(n).ToArray<float>(), actual.LoadTensor(n).ToArray<float>()));

        ModelConverter.Adapter(file, model, back);
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(adapter, "adapter_model.safetensors")), after = SafetensorsFile.Open(Path.Combine(back, "adapter_model.safetensors"));
        Assert.Equal(before.Names.Order(), after.Names.Order());
        Assert.All(before.Names, n => Assert.Equal(before.LoadTensor(n).ToArray<float>(), after.LoadTensor(n).ToArray<float>()));
    }

    [SkippableTheory]
    [InlineData("lora")]
    [InlineData("lora_rslora")]
    public void An_adapter_gives_the_logits_of_the_reference(string name)
    {
        using ModelFolder folder = ModelFolder.Open(SharedFolder.Get("goldens", "convert", "llama", "hf"));
        using SafetensorsFile golden = SafetensorsFile.Open(SharedFolder.Get("goldens", "convert", name, "golden.safetensors"));
        Model model = LoraMerge.Load(folder, LoraCheckpoint.Open(SharedFolder.Get("goldens", "convert", name, "adapter"), folder.ReadConfig()));
        float[] actual = ForwardRun.Run(model, new Dictionary<string, Tensor> { ["input_ids"] = golden.LoadTensor("input_ids").Reshape(1, -1) }).First(r => r.Name == "out.logits").Value.ToArray<float>(), expected = golden.LoadTensor("hf.logits").ToArray<float>();
        Assert.True(expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() <= 1e-4 * expected.Max(Math.Abs));
    }

    [SkippableFact]
    public void Cancelling_leaves_nothing()
    {
        string hf = SharedFolder.Get("goldens", "convert", "llama", "hf");
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => ModelConverter.ToGguf(hf, Path.Combine(_folder, "x.gguf"), cancellationToken: stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => ModelConverter.ToFolder(hf, Path.Combine(_folder, "x"), cancellationToken: stop.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
