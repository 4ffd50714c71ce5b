using System.Diagnostics;
using Banyan.Tokenizers;

// Usage: Banyan.Tokenizers.Bench ASSETS [filter]: encoding in MB of UTF-8 per second and BPE training in seconds, one thread, best of 5.
// ASSETS holds text/war-and-peace.txt and the vocabularies below.
string assets = args[0], filter = args.Length > 1 ? args[1] : "";
string text = File.ReadAllText(Path.Combine(assets, "text", "war-and-peace.txt"));
string[] lines = text.Split('\n');
double megabytes = System.Text.Encoding.UTF8.GetByteCount(text) / 1e6;

foreach ((string name, string file) in new[]
{
    ("gpt2", "tokenizers/hf/gpt2_tokenizer.json"), ("cl100k", "tokenizers/tiktoken/cl100k_base.tiktoken"), ("o200k", "tokenizers/tiktoken/o200k_base.tiktoken"),
    ("mistral", "tokenizers/mistral/tokenizer.model.v1"), ("t5", "tokenizers/t5/spiece.model"),
})
{
    if (!$"encode {name}".Contains(filter, StringComparison.Ordinal))
    {
        continue;
    }
    Stopwatch clock = Stopwatch.StartNew();
    Tokenizer tokenizer = Tokenizer.Load(Path.Combine(assets, file));
    double load = clock.Elapsed.TotalSeconds;
    List<int> ids = [];
    double whole = Best(() => Encode([text], tokenizer, ids));
    Tokenizer fresh = Tokenizer.Load(Path.Combine(assets, file));
    double cold = Best(() => Encode([text], fresh, ids), times: 1); // no word is remembered yet
    double byLine = Best(() => Encode(lines, tokenizer, ids));
    int[] all = tokenizer.EncodeToIds(text);
    double decode = Best(() => tokenizer.Decode(all));
    Console.WriteLine($"encode {name,-8} {megabytes / whole,7:F1} MB/s (by line {megabytes / byLine:F1}, cold {megabytes / cold:F1}), decode {megabytes / decode:F1} MB/s, load {load:F2} s, {all.Length} tokens");
}
if ("train 32000".Contains(filter, StringComparison.Ordinal))
{
    Tokenizer? trained = null;
    double seconds = Best(() => trained = Tokenizer.TrainByteLevel(lines.Select(l => l + "\n"), 32_000));
    Console.WriteLine($"train 32000 {seconds:F2} s, {trained!.VocabularySize} tokens");
}

static void Encode(string[] texts, Tokenizer tokenizer, List<int> ids)
{
    ids.Clear();
    foreach (string t in texts)
    {
        tokenizer.EncodeToIds(t, ids, addSpecialTokens: false);
    }
}

static double Best(Action run, int times = 5)
{
    double best = double.MaxValue;
    for (int i = 0; i < times; i++)
    {
        Stopwatch clock = Stopwatch.StartNew();
        run();
        best = Math.Min(best, clock.Elapsed.TotalSeconds);
    }
    return best;
}
