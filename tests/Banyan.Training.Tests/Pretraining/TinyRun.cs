using System.Security.Cryptography;
using System.Text;
using Banyan.Checkpoints;
using Banyan.Testing;

namespace Banyan.Training.Tests.Pretraining;

/// <summary>A run small enough to repeat many times, with everything on: dropout, accumulation, packing, prefetch, clipping.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyRun()
    {
        var text = new StringBuilder();
        var random = new CounterRandom(5);
        for (int d = 0; d < 200; d++)
        {
            text.Append(Enumerable.Range(0, 4 + random.NextInt(20)).Aggregate("", (s, _) => s + (s.Length == 0 ? "" : " ") + "the cat saw a red dog near my old house".Split(' ')[random.NextInt(10)])).Append("\n<|endoftext|>\n");
        }
        File.WriteAllText(_folder["text.txt"], text.ToString());
    }

    public string Text => _folder["text.txt"];

    public string Folder(string name) => _folder[name];

    public PretrainOptions Options(string run, long steps = 12, int threads = 0, bool resume = false, string extra = "") => PretrainOptions.Read(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes($$"""
        { "model": { "type": "gpt2", "n_layer": 2, "n_embd": 32, "n_head": 2, "embd_pdrop": 0.1, "resid_pdrop": 0.1, "attn_pdrop": 0.1 },
          "data": { "train": "{{Text}}", "tokenizer": "bpe", "vocab_size": 300, "separator": "<|endoftext|>", "packing": "documents", "split": 0.8 },
          "train": { "steps": {{steps}}, "batch": 3, "sequence": 24, "accumulation": 2, "eval_every": 4, "eval_batches": 2, "log_every": 1, "clip": 0.5 },
          "optimizer": { "learning_rate": 0.01 }, "schedule": { "warmup": 2 }, "run": { "dir": "{{Folder(run)}}", "save_every": 5, "resume": {{(resume ? "true" : "false")}} },
          "seed": 3, "threads": {{threads}} {{extra}} }
        """), "test"));

    public static string Hash(PretrainResult result) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(result.Model, "model.safetensors"))));

    public void Dispose() => _folder.Dispose();
}
