using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Banyan.Testing;

namespace Banyan.Cli.Tests;

/// <summary>Damaged files and impossible settings: one line that names what is wrong, the right exit code, nothing overwritten.</summary>
public sealed class BadInputTests(TrainedModel model) : IClassFixture<TrainedModel>
{
    private static readonly byte[] s_latin = [.. "caf"u8, 0xE9, .. " the cat saw a dog.\n"u8];

    [Theory]
    [InlineData("hidden_size", "null", "shape")]   // as where it is missing: the default of the reference, which the weights contradict
    [InlineData("hidden_size", "-32", "\"hidden_size\" is -32")]
    [InlineData("hidden_size", "1099511627776", "\"hidden_size\" is 1099511627776")]
    [InlineData("hidden_size", "\"wide\"", "\"hidden_size\" is the text \"wide\"")]
    [InlineData("hidden_size", "32.5", "\"hidden_size\" is 32.5")]
    [InlineData("num_hidden_layers", "1000000000", "\"num_hidden_layers\" is 1000000000")]
    [InlineData("num_attention_heads", "3", "num_attention_heads")]
    [InlineData("num_attention_heads", "0", "\"num_attention_heads\" is 0")]
    [InlineData("vocab_size", "200", "expects [200, 32]")]
    [InlineData("hidden_act", "\"sily\"", "did you mean \"silu\"?")]
    [InlineData("rope_parameters", "{\"rope_type\":\"ntk\"}", "rope_type")]
    [InlineData("rms_norm_eps", "-1", "\"rms_norm_eps\" is -1")]
    [InlineData("architectures", "[\"LlamaForCausalLLM\"]", "LlamaForCausalLM")]
    [InlineData("architectures", "5", "\"architectures\" is 5")]
    public void Configuration_of_a_model(string key, string value, string expected)
    {
        using TemporaryFolder folder = Copy();
        JsonObject config = JsonNode.Parse(File.ReadAllText(folder["config.json"]))!.AsObject();
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(folder["config.json"], config.ToJsonString());
        Refused(1, expected, "score", folder.Path, "--ids", "1,2,3");
    }

    [Theory]
    [InlineData("{\"hidden_size\":")]
    [InlineData("")]
    [InlineData("[]")]
    public void Configuration_that_is_no_object(string text)
    {
        using TemporaryFolder folder = Copy();
        File.WriteAllText(folder["config.json"], text);
        Refused(1, "config.json", "score", folder.Path, "--ids", "1,2,3");
    }

    [Theory]
    [InlineData("half", "cut short")]
    [InlineData("nothing", "0 bytes are too few")]
    [InlineData("long header", "header claims")]
    [InlineData("more", "bytes follow the last tensor")]
    [InlineData("nan", "holds NaN")]
    public void Weights(string damage, string expected)
    {
        using TemporaryFolder folder = Copy();
        byte[] bytes = File.ReadAllBytes(folder["model.safetensors"]);
        bytes = damage switch
        {
            "half" => bytes[..(bytes.Length / 2)],
            "nothing" => [],
            "long header" => [0, 0, 0, 0, 0, 0, 0, 16, .. bytes[8..]],
            "more" => [.. bytes, 1, 2],
            _ => WithNaN(bytes),
        };
        File.WriteAllBytes(folder["model.safetensors"], bytes);
        Refused(1, expected, "score", folder.Path, "--ids", "1,2,3");
        Refused(1, expected, "generate", folder.Path, "--prompt", "the");
    }

    [Theory]
    [InlineData("model.num_attention_heads=3", "num_attention_heads = 3")]
    [InlineData("model.max_position_embeddings=8", "the model has 8 positions")]
    [InlineData("model.vocab_size=5", "vocab_size is 5, but the tokenizer has 270 tokens")]
    [InlineData("model.type=llma", "did you mean \"llama\"?")]
    [InlineData("model.hiden_size=16", "did you mean \"hidden_size\"?")]
    [InlineData("train.batch=0", "\"train.batch\" is 0")]
    [InlineData("train.steps=many", "\"train.steps\" is the text \"many\"")]
    [InlineData("optimizer.learning_rate=-1", "\"optimizer.learning_rate\" is -1")]
    [InlineData("data.trian=x", "did you mean \"data.train\"?")]
    [InlineData("threads=-3", "\"threads\" is -3")]
    public void Recipe(string setting, string expected)
    {
        using var folder = new TemporaryFolder();
        Refused(2, expected, [.. model.Recipe(folder["run"]), setting]);
        Refused(2, expected, [.. model.Recipe(folder["run"]), setting, "--dry-run"]);
        Assert.False(File.Exists(folder["run/model/model.safetensors"]));
    }

    [Fact]
    public void Data()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["empty.txt"], "");
        File.WriteAllText(folder["broken.jsonl"], "{\"text\": \"a\"}\n{\"text\": \n");
        File.WriteAllBytes(folder["latin.txt"], s_latin);
        foreach ((string file, string expected) in new[] { ("empty.txt", "no text in it"), ("broken.jsonl", "line 2"), ("missing.txt", "no such file") })
        {
            Refused(1, expected, [.. model.Recipe(folder["run"]), $"data.train={folder[file]}"]);
            Refused(1, expected, "tokenizer", "train", folder[file], "--out", folder["t.json"]);
        }
        Refused(1, "UTF-8", [.. model.Recipe(folder["run"]), $"data.train={folder["latin.txt"]}", "data.strict=true"]);
        Refused(1, "UTF-8", "score", model.Path, "--file", folder["latin.txt"], "--strict");
        Refused(1, "1 invalid UTF-8 sequences", Tool.Run("score", model.Path, "--file", folder["latin.txt"]) with { ExitCode = 1 });
        Assert.False(File.Exists(folder["t.json"]));
    }

    [Fact]
    public void Places_that_cannot_be_written_and_ids_that_do_not_exist()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "mine");
        Refused(1, "cannot be made a folder", [.. model.Recipe(folder["file"])]);
        Refused(1, "run.resume=true", [.. model.Recipe(System.IO.Path.GetDirectoryName(model.Path)!)]);
        Assert.Equal("mine", File.ReadAllText(folder["file"]));
        Refused(1, "no token with the id 99999", "tokenizer", "decode", model.Path, "--ids", "1,99999");
    }

    private static void Refused(int code, string expected, params string[] arguments) => Refused(code, expected, Tool.Run(arguments));

    private static void Refused(int code, string expected, ToolResult r)
    {
        Assert.True(r.ExitCode == code, $"exit code {r.ExitCode}, expected {code}: {r.Error}{r.Out}");
        Assert.Contains(expected, r.Error.TrimEnd('\n').Split('\n')[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", r.Error, StringComparison.Ordinal);
    }

    private TemporaryFolder Copy()
    {
        var folder = new TemporaryFolder();
        foreach (string file in Directory.GetFiles(model.Path))
        {
            File.Copy(file, folder[System.IO.Path.GetFileName(file)]);
        }
        return folder;
    }

    private static byte[] WithNaN(byte[] file)
    {
        BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file)), float.NaN);
        return file;
    }
}
