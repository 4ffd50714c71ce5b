using System.Text.Json;
using Banyan.Checkpoints;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Gguf;

/// <summary>GGUF files as llama.cpp's converter writes them, read as models under Hugging Face's names: the folder's tensors come back, and its logits.</summary>
[Trait("Category", "Golden")]
public sealed class GgufModelTests
{
    public static IEnumerable<object[]> Files() => SharedFolder.TryGet("goldens", "convert") is not { } root ? [] : Directory.EnumerateFiles(root, "model-*.gguf", SearchOption.AllDirectories)
        .Where(f => Directory.Exists(Path.Combine(Path.GetDirectoryName(f)!, "hf"))).Order().Select(f => new object[] { Path.GetRelativePath(root, f) });

    [SkippableTheory, MemberData(nameof(Files))]
    public void Tensors_of_the_folder_come_back(string file)
    {
        using GgufModel model = Open(file);
        using ModelFolder folder = ModelFolder.Open(Hf(file));
        string prefix = Prefix(model, folder);
        foreach (string name in model.Names.Where(n => !folder.TryGet(n + "_blocks", out _))) // quantized in the folder too
        {
            string stored = folder.TryGet(name, out _) ? name : prefix.Length > 0 ? name[prefix.Length..] : name;
            Tensor expected = folder.LoadTensor(stored, DType.Float32), actual = model.LoadTensor(name, DType.Float32);
            Assert.Equal((name, expected.Shape), (name, actual.Shape));
            int unused = name == "embeddings.position_embeddings.weight" ? Array.FindIndex(actual.ToArray<float>(), x => x != 0) : 0; // RoBERTa's first rows
            Assert.True(unused <= 2 * actual.Shape[-1], name);
            Compare(name, expected.ToArray<float>()[unused..], actual.ToArray<float>()[unused..], Rounding(file, folder));
        }
    }

    [SkippableTheory, MemberData(nameof(Files))]
    public void Logits_are_those_of_the_reference(string file)
    {
        using GgufModel reader = Open(file);
        Model model = ModelRegistry.Default.Create(reader.ReadConfig());
        ModelFiles.LoadWeights(model, reader, trainable: false);
        using SafetensorsFile golden = SafetensorsFile.Open(Path.Combine(Path.GetDirectoryName(Full(file))!, "golden.safetensors"));
        var inputs = golden.Names.Where(n => n.EndsWith("input_ids", StringComparison.Ordinal)).ToDictionary(n => n, n => golden.LoadTensor(n).Reshape(1, -1));
        var outputs = ForwardRun.Run(model, inputs).ToDictionary(r => r.Name, r => r.Value);
        string key = golden.TryGet("hf.logits", out _) ? "logits" : "last_hidden_state";
        float[] expected = golden.LoadTensor("hf." + key).ToArray<float>(), actual = outputs["out." + key].ToArray<float>();
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Max(Math.Abs), difference = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max(), allowed = Allowed(file);
        Assert.True(difference <= allowed * largest, $"{file}: {difference / largest:g3} of the largest logit; allowed is {allowed:g3}");
    }

    // What rounding the weights does is not the reader's: exact types are held to rounding of sums, the others to what llama.cpp records for the same file.
    private static double Allowed(string file)
    {
        using ModelFolder folder = ModelFolder.Open(Hf(file));
        if (Rounding(file, folder) == 0 && folder.ReadConfig().GetString("model_type") != "mistral") // whose window GGUF's "llama" cannot hold
        {
            return 1e-4;
        }
        JsonElement recorded = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(Full(file))!, "case.json"))).RootElement.GetProperty("llama_cpp");
        string type = Path.GetFileNameWithoutExtension(file)["model-".Length..];
        double byRounding = recorded.TryGetProperty(type, out JsonElement one) && one.TryGetProperty("logits_relative", out JsonElement relative) ? 2 * relative.GetDouble() : 2e-3;
        return Math.Max(1e-4, byRounding);
    }

    // The relative error of one weight by its type in the file.
    private static double Rounding(string file, ModelFolder folder)
    {
        using GgufFile raw = GgufFile.Open(Full(file));
        string source = folder.Get(folder.Names[0]).Type.Name;
        return raw.Names.Select(n => raw.Get(n).Type.Name).Max(type => type switch
        {
            "F32" or "MXFP4" => 0,
            "F16" => source == "F32" ? 5e-4 : 0,
            "BF16" => source is "F32" or "F16" ? 4e-3 : 0,
            _ => 1e-2,
        });
    }

    private static void Compare(string name, float[] expected, float[] actual, double rounding)
    {
        double largest = expected.Length == 0 ? 0 : expected.Max(Math.Abs);
        bool computed = name.EndsWith("A_log", StringComparison.Ordinal);
        for (int i = 0; i < expected.Length; i++)
        {
            double allowed = rounding > 0.005 ? rounding * largest : Math.Abs(expected[i]) * Math.Max(rounding, computed ? 2e-6 : 0) + (computed ? 1e-6 : 0);
            Assert.True(Math.Abs(expected[i] - actual[i]) <= allowed + (name.Contains("norm", StringComparison.Ordinal) || rounding > 0 ? 1e-7 : 0), $"{name}[{i}]: {actual[i]}, expected {expected[i]}");
        }
    }

    private static string Prefix(GgufModel model, ModelFolder folder)
    {
        string first = model.Names.First(n => !folder.TryGet(n, out _) || n.Contains('.', StringComparison.Ordinal));
        return folder.TryGet(first, out _) ? "" : first[..(first.IndexOf('.', StringComparison.Ordinal) + 1)];
    }

    private static GgufModel Open(string file)
    {
        try
        {
            return GgufModel.Open(Full(file));
        }
        catch (CheckpointException e) when (e.Message.Contains("has the architecture", StringComparison.Ordinal) || e.Message.Contains("is unknown or was removed", StringComparison.Ordinal))
        {
            Skip.If(true, e.Message);
            throw;
        }
    }

    private static string Full(string file) => SharedFolder.Get(["goldens", "convert", .. file.Split(Path.DirectorySeparatorChar)]);

    private static string Hf(string file) => Path.Combine(Path.GetDirectoryName(Full(file))!, "hf");
}
