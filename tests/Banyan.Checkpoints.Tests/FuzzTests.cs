using System.Text;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

/// <summary>Damaged checkpoint files: every reader reads them or throws <see cref="CheckpointException"/>, soon and in bounded memory.</summary>
public class FuzzTests
{
    private const long MaxBytes = 16L << 20;

    [Theory]
    [InlineData("safetensors"), InlineData("config"), InlineData("index"), InlineData("llama2c"), InlineData("pytorch"), InlineData("gguf")]
    public void Few_damaged_files_are_read_or_refused(string kind) => Run(kind, Fuzz.Few);

    [Theory, Trait("Category", "Slow")]
    [InlineData("safetensors"), InlineData("config"), InlineData("index"), InlineData("llama2c"), InlineData("pytorch"), InlineData("gguf")]
    public void Many_damaged_files_are_read_or_refused(string kind) => Run(kind, Fuzz.Many);

    private static void Run(string kind, int count)
    {
        using var folder = new TemporaryFolder();
        (byte[][] samples, Action<byte[]> read) = kind switch
        {
            "safetensors" => (Safetensors(), b => ReadSafetensors(b, folder["a.safetensors"])),
            "config" => (Configs(), b => ReadConfig(ConfigReader.Parse(b, "config.json"))),
            "pytorch" => ((byte[][])[PytorchFileTests.Sample()], b => ReadPytorch(b, folder["a.pt"])),
            "gguf" => ((byte[][])[GgufSample(folder["sample.gguf"])], b => ReadGguf(b, folder["a.gguf"])),
            "index" => (Indices(folder), b => ReadFolder(b, folder)),
            _ => ((byte[][])[Llama2cFileTests.Tiny(3), Llama2cFileTests.Tiny(-3)], (Action<byte[]>)(b => ReadLlama2c(b, folder["a.bin"]))),
        };
        Fuzz.Run(samples, count, MaxBytes, read, e => e is CheckpointException);
    }

    private static void ReadSafetensors(byte[] bytes, string path)
    {
        File.WriteAllBytes(path, bytes);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        ReadTensors(file);
    }

    private static void ReadPytorch(byte[] bytes, string path)
    {
        File.WriteAllBytes(path, bytes);
        using PytorchFile file = PytorchFile.Open(path);
        ReadTensors(file);
    }

    private static void ReadGguf(byte[] bytes, string path)
    {
        File.WriteAllBytes(path, bytes);
        using GgufFile file = GgufFile.Open(path);
        ReadTensors(file);
    }

    private static byte[] GgufSample(string path)
    {
        var metadata = new GgufMetadata(path);
        metadata.TryAdd(GgufMetadata.ArchitectureKey, GgufValue.Of("llama"));
        metadata.TryAdd("llama.block_count", GgufValue.Of(2u));
        metadata.TryAdd("llama.rope.freq_base", GgufValue.Of(10000f));
        metadata.TryAdd("tokenizer.ggml.tokens", GgufValue.Of(["<s>", "a"]));
        metadata.TryAdd("nested", new GgufValue(GgufValueType.Array, (GgufValue[])[GgufValue.Of([1, 2]), GgufValue.Of([true.ToString()])], GgufValueType.Array));
        TensorEntry[] tensors = [new("a", DType.Float32, 2, 3), new("b", DType.Float16, 5)];
        using GgufWriter writer = GgufWriter.Create(path, metadata, tensors);
        foreach (TensorEntry entry in tensors)
        {
            writer.Write(entry.Name, new byte[entry.ByteCount]);
        }
        writer.Commit();
        return File.ReadAllBytes(path);
    }

    private static void ReadLlama2c(byte[] bytes, string path)
    {
        File.WriteAllBytes(path, bytes);
        using IModelReader file = ModelReader.Open(path);
        ReadConfig(file.ReadConfig());
        ReadTensors(file);
    }

    private static void ReadFolder(byte[] index, TemporaryFolder folder)
    {
        File.WriteAllBytes(folder["model.safetensors.index.json"], index);
        using ModelFolder model = ModelFolder.Open(folder.Path);
        ReadTensors(model);
    }

    private static void ReadTensors(ICheckpointReader file)
    {
        foreach (string name in file.Names)
        {
            file.Read(name, new byte[file.Get(name).ByteCount]);
        }
    }

    private static void ReadConfig(ConfigReader config)
    {
        foreach (string key in config.Keys)
        {
            Documented(() => config.GetInt(key));
            Documented(() => config.GetDouble(key));
            Documented(() => config.GetString(key));
            Documented(() => config.GetLongs(key));
            Documented(() => config.GetDoubles(key));
            Documented(() => config.GetStrings(key));
            Documented(() => ReadConfig(config.GetObject(key)));
        }
        config.UnreadKeys();
    }

    private static void Documented(Action read)
    {
        try
        {
            read();
        }
        catch (CheckpointException)
        {
        }
    }

    private static byte[][] Safetensors()
    {
        const string Header = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}""";
        return [[.. BitConverter.GetBytes((long)Header.Length), .. Encoding.UTF8.GetBytes(Header), .. new byte[32]]];
    }

    private static byte[][] Configs() =>
    [
        """{"hidden_size": 64, "eps": 1e-05, "act": "silu", "tie": true, "ids": [2, 3], "pad": null, "rope": {"factor": 8.0, "type": "x"}, "limit": [0.0, Infinity], "f": {"__float__": "NaN"}}"""u8.ToArray(),
    ];

    private static byte[][] Indices(TemporaryFolder folder)
    {
        File.WriteAllText(folder["config.json"], "{}");
        File.WriteAllBytes(folder["a.safetensors"], Safetensors()[0]);
        return ["""{"metadata":{"total_size":32},"weight_map":{"a":"a.safetensors","b":"a.safetensors"}}"""u8.ToArray()];
    }
}
