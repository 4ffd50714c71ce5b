using System.Text.Json;
using Banyan.Testing;
using Banyan.Tokenizers.Training;

namespace Banyan.Tokenizers.Tests;

/// <summary>Training gives the vocabulary and the merges of the reference.</summary>
[Trait("Category", "Golden")]
public sealed class TrainerGoldenTests
{
    public static IEnumerable<object[]> Cases() => Golden.Files("*.json", "goldens", "tokenizers", "trainers").Where(r => (string)r[0] != "case.json");

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Training_equals_the_reference(string file)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "trainers", file);
        string? model = Expected.TextOrNull(golden, "model");
        Skip.If(model != "BPE", $"pending: trainer of {model ?? "SentencePiece"}");
        Tokenizer pipeline = Expected.OrPending(() => Tokenizer.FromJson($$"""
            { "normalizer": {{golden.GetProperty("normalizer").GetRawText()}}, "pre_tokenizer": {{golden.GetProperty("pre_tokenizer").GetRawText()}},
              "model": { "type": "BPE", "vocab": {}, "merges": [] } }
            """));
        Tokenizer trained = pipeline.TrainNew(Lines(golden), Read(golden.GetProperty("trainer")));
        Check(golden, JsonDocument.Parse(trained.ToJson()).RootElement.GetProperty("model"));
    }

    private static void Check(JsonElement golden, JsonElement model)
    {
        string[] merges = [.. model.GetProperty("merges").EnumerateArray().Select(Pair)];
        string[] vocab = [.. model.GetProperty("vocab").EnumerateObject().OrderBy(p => p.Value.GetInt32()).Select(p => p.Name)];
        if (golden.GetProperty("exact").GetBoolean())
        {
            Assert.Equal(golden.GetProperty("merges").EnumerateArray().Select(Pair), merges);
            Assert.Equal(Expected.Strings(golden.GetProperty("vocab")), vocab);
            return;
        }
        // The reference numbers decorated symbols in hash order: what every run agrees on must be here.
        Assert.Empty(Expected.Strings(golden.GetProperty("in_every_run")).Except(vocab));
        Assert.Equal(golden.GetProperty("vocab_size_reached").GetInt32(), vocab.Length);
        string[] prefix = [.. golden.GetProperty("merges_common_prefix").EnumerateArray().Select(Pair)];
        Assert.Equal(prefix, merges.Take(prefix.Length));
    }

    private static string Pair(JsonElement merge) => string.Join(' ', Expected.Strings(merge));

    private static BpeTrainer Read(JsonElement trainer)
    {
        BpeTrainer result = new() { VocabularySize = 30_000 };
        foreach (JsonProperty p in trainer.EnumerateObject())
        {
            result = p.Name switch
            {
                "vocab_size" => result with { VocabularySize = p.Value.GetInt32() },
                "min_frequency" => result with { MinFrequency = p.Value.GetInt32() },
                "special_tokens" => result with { SpecialTokens = Expected.Strings(p.Value) },
                "limit_alphabet" => result with { LimitAlphabet = p.Value.GetInt32() },
                "initial_alphabet_chars" or "initial_alphabet" => result with { InitialAlphabet = Expected.Strings(p.Value) },
                "continuing_subword_prefix" => result with { ContinuingSubwordPrefix = p.Value.GetString() },
                "end_of_word_suffix" => result with { EndOfWordSuffix = p.Value.GetString() },
                "max_token_length" => result with { MaxTokenLength = p.Value.GetInt32() },
                _ => throw new InvalidOperationException($"the test does not know the trainer key {p.Name}"),
            };
        }
        return result;
    }

    /// <summary>The corpus line by line, each with its line end.</summary>
    private static IEnumerable<string> Lines(JsonElement golden)
    {
        string corpus = golden.GetProperty("corpus").GetString()!;
        string path = corpus.StartsWith("assets", StringComparison.Ordinal)
            ? SharedFolder.Get(corpus)
            : SharedFolder.Get("goldens", "tokenizers", "trainers", corpus);
        string text = File.ReadAllText(path);
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start) is >= 0 and int at ? at + 1 : text.Length;
            yield return text[start..end];
            start = end;
        }
    }
}
