using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public class ModelFolderTests
{
    private static readonly TensorEntry[] Entries = [new("a", DType.Float32, 4), new("b", DType.UInt8, 3), new("c", DType.Int64, 2)];

    [Fact]
    public void Shards_come_back_as_one_checkpoint()
    {
        using var folder = new TemporaryFolder();
        Save(folder.Path, maxShardBytes: 19);
        Assert.Equal(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
            Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        using ModelFolder model = ModelFolder.Open(folder.Path);
        Assert.Equal(["a", "b", "c"], model.Names.Order());
        using TensorBytes bytes = model.Map("b");
        Assert.Equal([1, 1, 1], bytes.Span.ToArray());
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(folder["model.safetensors.index.json"]));
        Assert.Equal(35, index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
    }

    [Fact]
    public void A_later_save_removes_the_files_of_an_earlier_one()
    {
        using var folder = new TemporaryFolder();
        Save(folder.Path, maxShardBytes: 1);
        Save(folder.Path, maxShardBytes: 1000);
        Assert.Equal(["model.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Save(folder.Path, maxShardBytes: 20);
        Assert.DoesNotContain("model.safetensors", Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        using ModelFolder model = ModelFolder.Open(folder.Path);
        Assert.Equal(3, model.Names.Count);
    }

    [Fact]
    public void A_folder_without_weights_says_what_is_missing()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("none of model.safetensors", Assert.Throws<CheckpointException>(() => ModelFolder.Open(folder.Path)).Message);
    }

    [Fact]
    public void A_shard_without_its_tensor_is_named()
    {
        using var folder = new TemporaryFolder();
        Save(folder.Path, maxShardBytes: 19);
        string index = folder["model.safetensors.index.json"];
        File.WriteAllText(index, File.ReadAllText(index).Replace("\"b\"", "\"bb\""));
        Assert.Contains("tensor \"bb\" is in this file; it is not", Assert.Throws<CheckpointException>(() => ModelFolder.Open(folder.Path)).Message);
    }

    [GoldenFact, Trait("Category", "Golden")]
    public void Reads_shards_of_the_reference_library()
    {
        string folder = SharedFolder.Get("goldens", "quant", "safetensors", "good", "sharded");
        using ModelFolder model = ModelFolder.Open(folder);
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "model.safetensors.index.json")));
        Assert.Equal(index.RootElement.GetProperty("weight_map").EnumerateObject().Select(p => p.Name).Order(), model.Names.Order());
        Assert.All(model.Names, n => Assert.Equal(model.Get(n).ElementCount, model.LoadTensor(n).Count));
    }

    private static void Save(string folder, long maxShardBytes)
    {
        using ShardedSafetensorsWriter writer = ShardedSafetensorsWriter.Create(folder, Entries, maxShardBytes);
        foreach (TensorEntry entry in Entries)
        {
            writer.Write(entry.Name, Enumerable.Repeat((byte)1, (int)entry.ByteCount).ToArray());
        }
        writer.Commit();
    }
}
