using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Cpu;
using Banyan.Inference;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Tokenizers;
using Banyan.Training;

namespace Banyan.Cli.Verbs;

/// <summary>Measures kernels and whole steps beside the machine's own limits, in the same run.</summary>
internal sealed class BenchVerb : Verb
{
    private static readonly string[] s_what = ["limits", "gemm", "attention", "ops", "train", "generate", "memory", "tokenize"];

    public override string Name => "bench";

    public override string Summary => "Measures limits | gemm | attention | ops | train | generate | memory | tokenize beside this machine's limits.";

    public override string Example => "bench train model=gpt2-124m batch=4 seq=64";

    public override IReadOnlyList<string> Arguments => ["what"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("model", "train: gpt2-124m or nanogpt-char; generate, memory: a model's path.", SettingKind.Text), new("batch", "Sequences (train 4 or 12, generate 1)."), new("seq", "Tokens of a sequence (train 64 or 256)."),
        new("precision", "gemm, train: float32 or bfloat16 (float32).", SettingKind.Text), new("steps", "Steps that are measured (8); generate: rounds, of which the best counts (3)."), new("tokenizer", "tokenize: a tokenizer's path.", SettingKind.Text),
        new("file", "tokenize: a text.", SettingKind.Text), new("filter", "Only cases whose name contains this.", SettingKind.Text), new("prompt", "generate: tokens of the prompt (128)."),
        new("tokens", "generate: tokens behind it (64)."), new("max_new_tokens", "memory: tokens (65536)."), .. SettingReader.ModelSettings,
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string what = s.Text("what");
        int threads = s.Threads > 0 ? s.Threads : Environment.ProcessorCount;
        JsonObject document = what switch
        {
            "limits" => Limits(s, output, stop),
            "gemm" => Cases(s, output, t => KernelBenchmarks.Gemm(t, stop, s.OptionalText("filter"), Bf16(s)), stop),
            "attention" => Cases(s, output, t => KernelBenchmarks.Attention(t, stop, s.OptionalText("filter")), stop),
            "ops" => Cases(s, output, t => KernelBenchmarks.Ops(t, stop, s.OptionalText("filter")).Concat(OptimizerBenchmarks.Steps(t, stop, s.OptionalText("filter"))), stop),
            "train" => Train(s, output, threads, stop),
            "generate" => Generate(s, output, threads, stop),
            "memory" => Memory(s, output, threads, stop),
            "tokenize" => Tokenize(s, output),
            _ => throw new UsageException($"'{what}' is no benchmark; expected {string.Join(", ", s_what)}{Checkpoints.NearestName.Hint(what, s_what)}"),
        };
        output.Document(document);
        return 0;
    }

    private static IEnumerable<int> ThreadCounts(SettingReader s) => s.Threads > 0 ? [s.Threads] : new[] { 1, Environment.ProcessorCount }.Distinct();

    private static JsonObject Limits(SettingReader s, Reporter output, CancellationToken stop)
    {
        List<MachineLimits> all = [.. ThreadCounts(s).Select(t => MachineLimits.Measure(t, stop))];
        foreach (MachineLimits l in all)
        {
            output.Line(FormattableString.Invariant($"{l.Threads} thread(s): {l.Gflops:F1} GFLOP/s ({l.VectorWidth}), reading {l.ReadGigabytesPerSecond:F1} GB/s, triad {l.TriadGigabytesPerSecond:F1} GB/s"));
        }
        JsonObject document = Document(all[^1]);
        document["by_threads"] = new JsonArray([.. all.Select(Document)]);
        return document;
    }

    private static JsonObject Document(MachineLimits l) => new()
    {
        ["threads"] = l.Threads, ["fp32_gflops"] = l.Gflops, ["memory_gb_s"] = l.ReadGigabytesPerSecond, ["triad_gb_s"] = l.TriadGigabytesPerSecond, ["vectors"] = l.VectorWidth,
    };

    private static JsonObject Cases(SettingReader s, Reporter output, Func<int, IEnumerable<KernelRate>> run, CancellationToken stop)
    {
        var cases = new JsonArray();
        MachineLimits? limits = null;
        foreach (int threads in ThreadCounts(s))
        {
            limits = MachineLimits.Measure(threads, stop);
            foreach (KernelRate rate in run(threads))
            {
                output.Line(rate.ToString());
                cases.Add((JsonNode)new JsonObject { ["name"] = rate.Name, ["threads"] = rate.Threads, [rate.Unit == "GB/s" ? "gb_s" : "gflops"] = rate.Rate, ["fraction_of_peak"] = rate.FractionOfPeak });
            }
        }
        return new JsonObject { ["cases"] = cases, ["limits"] = Document(limits!) };
    }

    private static bool Bf16(SettingReader s) => s.Text("precision", "float32") switch
    {
        "float32" => false,
        "bfloat16" => true,
        var other => throw new UsageException($"precision is {other}; expected float32 or bfloat16"),
    };

    private static JsonObject Train(SettingReader s, Reporter output, int threads, CancellationToken stop)
    {
        string model = s.Text("model", "gpt2-124m");
        bool big = model == "gpt2-124m";
        if (!big && model != "nanogpt-char")
        {
            throw new UsageException($"model is {model}; expected gpt2-124m or nanogpt-char");
        }
        MachineLimits limits = MachineLimits.Measure(threads, stop);
        StepBenchmark b = StepBenchmark.Run(big ? StepBenchmark.Gpt2 : StepBenchmark.Char, s.Int("batch", big ? 4 : 12, 1), s.Int("seq", big ? 64 : 256, 2), s.Int("steps", 8, 1), threads, Bf16(s), stop);
        double fraction = 6e-9 * b.Parameters * b.TokensPerSecond / limits.Gflops;
        output.Line(FormattableString.Invariant($"{model}: {b.MillisecondsPerStep:F1} ms per step, {b.TokensPerSecond:F0} tokens/s, {100 * fraction:F1} % of the FMA peak, {ProcessMemory.PeakMib:F0} MiB; loss {b.FirstLoss:F3} to {b.LastLoss:F3}"));
        return new JsonObject
        {
            ["model"] = model, ["parameters"] = b.Parameters, ["tokens_per_s"] = b.TokensPerSecond, ["ms_per_step"] = b.MillisecondsPerStep, ["peak_rss_mib"] = ProcessMemory.PeakMib,
            ["fraction_of_peak"] = fraction, ["first_loss"] = b.FirstLoss, ["last_loss"] = b.LastLoss, ["limits"] = Document(limits),
        };
    }

    // A prompt of random tokens in one pass, then single tokens for several sequences together, best of some rounds: the machine is shared.
    private static JsonObject Generate(SettingReader s, Reporter output, int threads, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        LanguageModel lm = s.LanguageModel(s.Text("model"));
        double load = clock.Elapsed.TotalSeconds;
        using var pool = new ComputePool(threads);
        using var session = new DecodingSession(lm.Model, pool);
        int prompt = s.Int("prompt", 128, 1, lm.Model.MaxPositions - 2), tokens = Math.Min(s.Int("tokens", 64, 1), lm.Model.MaxPositions - prompt), batch = s.Int("batch", 1, 1, 1024), rounds = s.Int("steps", 3, 1);
        long[] ids = [.. Enumerable.Range(0, prompt).Select(_ => 0L)];
        var random = new CounterRandom((ulong)s.Seed, 7);
        for (int i = 0; i < prompt; i++)
        {
            ids[i] = random.NextInt(lm.Model.VocabularySize);
        }
        (double first, double prefill, double decode, float[] logits) = (0, double.MaxValue, double.MaxValue, new float[batch * lm.Model.VocabularySize]);
        clock.Restart();
        session.Last(ids, [prompt], [new SequenceCache(prompt)], logits);
        first = clock.Elapsed.TotalSeconds;
        long[] next = new long[batch];
        int[] ones = [.. Enumerable.Repeat(1, batch)];
        for (int round = 0; round < rounds; round++)
        {
            stop.ThrowIfCancellationRequested();
            SequenceCache[] caches = [.. Enumerable.Range(0, batch).Select(_ => new SequenceCache(prompt + tokens))];
            foreach (SequenceCache cache in caches)
            {
                clock.Restart();
                session.Last(ids, [prompt], [cache], logits);
                prefill = Math.Min(prefill, clock.Elapsed.TotalSeconds);
            }
            clock.Restart();
            for (int t = 0; t < tokens; t++)
            {
                stop.ThrowIfCancellationRequested();
                session.Last(next, ones, caches, logits);
            }
            decode = Math.Min(decode, clock.Elapsed.TotalSeconds);
        }
        MachineLimits limits = MachineLimits.Measure(threads, stop);
        long bytes = lm.Model.NamedParameters().Sum(p => p.Parameter.Value.DType.ByteCount(p.Parameter.Shape.Count));
        double fraction = 1e-9 * bytes * tokens / decode / limits.ReadGigabytesPerSecond;
        output.Line(FormattableString.Invariant($"prompt of {prompt}: {prompt / prefill:F1} tokens/s; {batch} sequence(s): {batch * tokens / decode:F1} tokens/s, weights read at {100 * fraction:F0} % of the memory rate; loaded in {load:F2} s, first token after {first:F2} s more; {ProcessMemory.PeakMib:F0} MiB, of it weights {bytes / 1048576.0:F0}"));
        return new JsonObject
        {
            ["prompt_tokens_per_s"] = prompt / prefill, ["tokens_per_s"] = batch * tokens / decode, ["load_s"] = load, ["time_to_first_token_s"] = load + first, ["peak_rss_mib"] = ProcessMemory.PeakMib,
            ["weight_bytes"] = bytes, ["fraction_of_memory_rate"] = fraction, ["prompt"] = prompt, ["tokens"] = tokens, ["batch"] = batch, ["limits"] = Document(limits),
        };
    }

    // What a token costs and what the cache holds after 16, 256, 4096 ... tokens.
    private static JsonObject Memory(SettingReader s, Reporter output, int threads, CancellationToken stop)
    {
        LanguageModel lm = LanguageModel.Load(s.Text("model"));
        int tokens = Math.Min(s.Int("max_new_tokens", 1 << 16, 2), lm.Model.MaxPositions);
        using var pool = new ComputePool(threads);
        using var session = new DecodingSession(lm.Model, pool);
        (var cache, var random, var logits, var rows) = (new SequenceCache(), new CounterRandom(7), new float[lm.Model.VocabularySize], new JsonArray());
        for (int warm = 0; warm < 2000; warm++)   // until the runtime has compiled what runs often; short contexts begin anew
        {
            session.Last([0], [1], [new SequenceCache()], logits);
        }
        long mark = 16, last = 0, allocated = GC.GetTotalAllocatedBytes();
        var clock = Stopwatch.StartNew();
        for (long t = 1; t <= tokens; t++)
        {
            stop.ThrowIfCancellationRequested();
            session.Last([random.NextInt(lm.Model.VocabularySize)], [1], [cache], logits);
            if (t != mark && t != tokens)
            {
                continue;
            }
            double each = clock.Elapsed.TotalMicroseconds / (t - last), garbage = (GC.GetTotalAllocatedBytes() - allocated) / (double)(t - last);
            output.Line(FormattableString.Invariant($"{t,8} tokens: {each:F0} us each since the line before, cache {cache.Bytes / 1024.0:F1} KiB, {garbage:F0} bytes of objects each"));
            rows.Add((JsonNode)new JsonObject { ["tokens"] = t, ["us_per_token"] = each, ["cache_bytes"] = cache.Bytes, ["object_bytes_per_token"] = garbage });
            (mark, last, allocated) = (mark * 16, t, GC.GetTotalAllocatedBytes());
            clock.Restart();
        }
        return new JsonObject { ["threads"] = threads, ["rows"] = rows };
    }

    private static JsonObject Tokenize(SettingReader s, Reporter output)
    {
        Tokenizer tokenizer = Tokenizer.Load(s.Text("tokenizer"));
        byte[] bytes = File.ReadAllBytes(s.Text("file"));
        string text = System.Text.Encoding.UTF8.GetString(bytes);
        var ids = new List<int>();
        double best = double.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            ids.Clear();
            var clock = Stopwatch.StartNew();
            tokenizer.EncodeToIds(text, ids);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        double rate = bytes.Length / 1e6 / best;
        output.Line(FormattableString.Invariant($"{rate:F1} MB/s, {ids.Count} tokens, one thread"));
        return new JsonObject { ["mb_per_s"] = rate, ["tokens"] = ids.Count, ["threads"] = 1 };
    }
}
