using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Cli.Tests;

/// <summary>What scripts rely on: the keys of each verb's document, exit codes, one line for each error.</summary>
public sealed class ContractTests(TrainedModel model) : IClassFixture<TrainedModel>
{
    [Fact]
    public void Pretrain_document() => Check(model.Pretrain.Json,
        ("run", JsonValueKind.String), ("model", JsonValueKind.String), ("steps", JsonValueKind.Number), ("train_loss", JsonValueKind.Number), ("val_loss", JsonValueKind.Number),
        ("tokens_per_s", JsonValueKind.Number), ("peak_rss_mib", JsonValueKind.Number), ("seconds", JsonValueKind.Number));

    [Fact]
    public void Generate_document()
    {
        ToolResult r = Tool.Run("generate", model.Path, "--prompt", "the cat", "--max-new-tokens", "5", "--temperature", "0", "--ignore-end", "--json");
        Check(r.Json, ("prompt_ids", JsonValueKind.Array), ("ids", JsonValueKind.Array), ("text", JsonValueKind.String), ("logprobs", JsonValueKind.Array),
            ("tokens_per_s", JsonValueKind.Number), ("time_to_first_token_s", JsonValueKind.Number));
        Assert.Equal(5, r.Json.GetProperty("ids").GetArrayLength());
        ToolResult same = Tool.Run("generate", model.Path, "prompt=the cat", "max_new_tokens=5", "temperature=0", "ignore_end=true", "--json", "--threads", "3");
        Assert.Equal(r.Json.GetProperty("ids").ToString(), same.Json.GetProperty("ids").ToString());
        Assert.Equal(r.Json.GetProperty("logprobs").ToString(), same.Json.GetProperty("logprobs").ToString());
    }

    [Fact]
    public void Score_document()
    {
        ToolResult r = Tool.Run("score", model.Path, "--text", "the cat saw a dog", "--json");
        Check(r.Json, ("ids", JsonValueKind.Array), ("logprobs", JsonValueKind.Array), ("nll", JsonValueKind.Number), ("perplexity", JsonValueKind.Number));
        Assert.Equal(r.Json.GetProperty("ids").GetArrayLength() - 1, r.Json.GetProperty("logprobs").GetArrayLength());
        Assert.Equal(Math.Exp(r.Json.GetProperty("nll").GetDouble()), r.Json.GetProperty("perplexity").GetDouble(), 9);
        string ids = string.Join(',', r.Json.GetProperty("ids").EnumerateArray());
        Assert.Equal(r.Json.GetProperty("nll").GetDouble(), Tool.Run("score", model.Path, "--ids", ids, "--json").Json.GetProperty("nll").GetDouble());
    }

    [Fact]
    public void Tokenizer_documents()
    {
        string path = System.IO.Path.Combine(model.Path, "tokenizer.json");
        ToolResult r = Tool.Run("tokenizer", "encode", path, "--text", "the cät", "--no-special", "--json");
        Check(r.Json, ("ids", JsonValueKind.Array), ("tokens", JsonValueKind.Array), ("offsets", JsonValueKind.Array));
        Assert.Equal(7, r.Json.GetProperty("offsets").EnumerateArray().Last()[1].GetInt32());
        string ids = string.Join(',', r.Json.GetProperty("ids").EnumerateArray());
        Assert.Equal("the cät", Tool.Run("tokenizer", "decode", path, "--ids", ids, "--json").Json.GetProperty("text").GetString());
        string trained = System.IO.Path.Combine(model.Folder, "t.json");
        Assert.Equal(280, Tool.Run("tokenizer", "train", model.Text, "--vocab-size", "280", "--out", trained, "--json").Json.GetProperty("vocab_size").GetInt32());
    }

    [Fact]
    public void Info_and_verify_documents()
    {
        Check(Tool.Run("info", model.Path, "--json").Json, ("architecture", JsonValueKind.String), ("parameters", JsonValueKind.Number), ("cache_bytes", JsonValueKind.Number));
        JsonElement checks = Tool.Run("verify", model.Path, "--json").Json.GetProperty("checks");
        Assert.All(checks.EnumerateArray(), c => Assert.True(c.GetProperty("pass").GetBoolean(), c.ToString()));
        Assert.True(checks.GetArrayLength() >= 9);
    }

    [Fact]
    public void Bench_documents()
    {
        JsonElement limits = Tool.Run("bench", "limits", "--threads", "1", "--json").Json;
        Check(limits, ("fp32_gflops", JsonValueKind.Number), ("memory_gb_s", JsonValueKind.Number), ("by_threads", JsonValueKind.Array));
        JsonElement gemm = Tool.Run("bench", "gemm", "--threads", "1", "--filter", "square NN 512", "--json").Json;
        Check(gemm.GetProperty("cases")[0], ("name", JsonValueKind.String), ("threads", JsonValueKind.Number), ("gflops", JsonValueKind.Number), ("fraction_of_peak", JsonValueKind.Number));
        Check(gemm, ("limits", JsonValueKind.Object));
        JsonElement memory = Tool.Run("bench", "memory", $"model={model.Path}", "max_new_tokens=20", "--threads", "1", "--json").Json;
        Assert.Equal([16, 20], memory.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("tokens").GetInt64()));
        JsonElement tokenize = Tool.Run("bench", "tokenize", $"tokenizer={model.Path}", $"file={model.Text}", "--json").Json;
        Check(tokenize, ("mb_per_s", JsonValueKind.Number));
        JsonElement train = Tool.Run("bench", "train", "model=nanogpt-char", "batch=1", "seq=32", "steps=2", "--json").Json;
        Check(train, ("tokens_per_s", JsonValueKind.Number), ("ms_per_step", JsonValueKind.Number), ("peak_rss_mib", JsonValueKind.Number), ("fraction_of_peak", JsonValueKind.Number),
            ("first_loss", JsonValueKind.Number), ("last_loss", JsonValueKind.Number), ("limits", JsonValueKind.Object));
        Assert.True(train.GetProperty("last_loss").GetDouble() < train.GetProperty("first_loss").GetDouble());
    }

    [Fact]
    public void Forward_writes_what_a_golden_file_holds()
    {
        string? folder = SharedFolder.TryGet("goldens", "models", "llama");
        if (folder is null)
        {
            Assert.False(SharedFolder.IsCi, "the shared folder is missing");
            return;
        }
        string output = System.IO.Path.Combine(model.Folder, "out.safetensors");
        ToolResult r = Tool.Run("forward", folder, "--inputs", System.IO.Path.Combine(folder, "golden.safetensors"), "--outputs", output, "--gradients", "--json");
        Assert.Equal(0, r.ExitCode);
        using var ours = Checkpoints.SafetensorsFile.Open(output);
        using var theirs = Checkpoints.SafetensorsFile.Open(System.IO.Path.Combine(folder, "golden.safetensors"));
        foreach (string name in theirs.Names.Where(n => n.StartsWith("out.", StringComparison.Ordinal) || n.StartsWith("hidden.", StringComparison.Ordinal) || n.StartsWith("grad.", StringComparison.Ordinal)))
        {
            double[] a = Checkpoints.CheckpointTensors.LoadTensor(ours, name).ToDoubles(), b = Checkpoints.CheckpointTensors.LoadTensor(theirs, name).ToDoubles();
            double scale = Math.Max(1, b.Max(Math.Abs)), worst = a.Zip(b, (x, y) => Math.Abs(x - y)).Max();
            Assert.True(worst <= 1e-3 * scale, $"{name}: {worst}");
        }
    }

    [Theory]
    [InlineData(2, "max_new_tokens", "generate", "m", "max_new_tokns=5")]
    [InlineData(2, "generate", "genrate", "m")]
    [InlineData(2, "MODEL", "generate")]
    [InlineData(2, "temperature", "generate", "m", "--temperature", "-1")]
    [InlineData(2, "temperature", "generate", "m", "--temperature", "warm")]
    [InlineData(2, "train.steps", "pretrain", "data.train=x.txt", "train.stpes=5", "model.type=llama")]
    [InlineData(2, "no such file", "pretrain", "--config", "missing.yaml")]
    [InlineData(2, "limits", "bench", "limts")]
    [InlineData(1, "no such file", "generate", "/no/such/model", "--prompt", "x")]
    [InlineData(1, "no such file", "info", "/no/such/model")]
    [InlineData(2, "text", "score", "MODEL")]
    [InlineData(1, "999999", "score", "MODEL", "--ids", "1,999999")]
    public void Errors_are_one_line_and_an_exit_code(int code, string contains, params string[] arguments)
    {
        ToolResult r = Tool.RunIn(model.Folder, [.. arguments.Select(a => a == "MODEL" ? model.Path : a)]);
        Assert.Equal(code, r.ExitCode);
        Assert.Contains(contains, r.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", r.Error, StringComparison.Ordinal);
        Assert.Single(r.Error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Every_verb_has_help_with_an_example()
    {
        foreach (Verb verb in CommandTree.Verbs)
        {
            ToolResult r = Tool.Run([.. verb.Name.Split(' '), "--help"]);
            Assert.Equal(0, r.ExitCode);
            Assert.Contains($"banyan {verb.Name}", r.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Dry_run_tells_the_plan_and_trains_nothing()
    {
        string run = System.IO.Path.Combine(model.Folder, "dry");
        ToolResult r = Tool.Run([.. model.Recipe(run), "--dry-run", "--json"]);
        Check(r.Json, ("parameters", JsonValueKind.Number), ("total_bytes", JsonValueKind.Number), ("flops", JsonValueKind.Number), ("seconds", JsonValueKind.Number));
        Assert.Empty(Directory.GetDirectories(run, "checkpoint-*"));
    }

    private static void Check(JsonElement document, params ReadOnlySpan<(string Key, JsonValueKind Kind)> keys)
    {
        foreach ((string key, JsonValueKind kind) in keys)
        {
            Assert.True(document.TryGetProperty(key, out JsonElement value), $"'{key}' is missing in {document}");
            Assert.Equal(kind, value.ValueKind);
        }
    }
}

/// <summary>A tiny model, trained once by the tool itself.</summary>
public sealed class TrainedModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TrainedModel()
    {
        File.WriteAllText(Text, string.Concat(Enumerable.Range(0, 300).Select(i => $"the cat saw a {(i % 3 == 0 ? "red" : "big")} dog near house {i % 7}.\n")));
        Pretrain = Tool.Run([.. Recipe(System.IO.Path.Combine(Folder, "run")), "--json"]);
        Assert.True(Pretrain.ExitCode == 0, Pretrain.Error);
        Path = Pretrain.Json.GetProperty("model").GetString()!;
    }

    public string Folder => _folder.Path;

    public string Text => _folder["text.txt"];

    public string Path { get; }

    internal ToolResult Pretrain { get; }

    public string[] Recipe(string run) =>
    [
        "pretrain", $"data.train={Text}", "data.vocab_size=270", "model.num_hidden_layers=2", "model.hidden_size=32", "model.num_attention_heads=2", "model.intermediate_size=64",
        "train.steps=20", "train.batch=4", "train.sequence=48", "train.eval_every=10", $"run.dir={run}", "seed=1",
    ];

    public void Dispose() => _folder.Dispose();
}
