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
        string model = Expected.TextOrNull(golden, "model") ?? "SentencePiece";
        JsonElement options = golden.GetProperty("trainer");
        bool isSentencePiece = model == "SentencePiece";
        Skip.If(isSentencePiece && Expected.TextOrNull(options, "model_type") != "unigram", $"pending: SentencePiece's own trainer of {Expected.TextOrNull(options, "model_type")}");
        string normalizer = isSentencePiece ? "null" : golden.GetProperty("normalizer").GetRawText();
        string preTokenizer = isSentencePiece ? """{ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true }""" : golden.GetProperty("pre_tokenizer").GetRawText();
        Tokenizer pipeline = Expected.OrPending(() => Tokenizer.FromJson($$"""
            { "normalizer": {{normalizer}}, "pre_tokenizer": {{preTokenizer}}, "model": { "type": "BPE", "vocab": {}, "merges": [] } }
            """));
        IEnumerable<string> lines = isSentencePiece ? Lines(golden).Select(l => l.TrimEnd('\n')).Where(l => l.Length > 0) : Lines(golden);
        Trainer trainer = model switch
        {
            "BPE" => Read(options),
            "WordLevel" => ReadWordLevel(options),
            "WordPiece" => ReadWordPiece(options),
            _ => ReadUnigram(options),
        };
        Tokenizer trained = pipeline.TrainNew(lines, trainer);
        if (trainer is UnigramTrainer)
        {
            CheckUnigram(golden, trained, isSentencePiece);
            return;
        }
        Check(golden, JsonDocument.Parse(trained.ToJson()).RootElement.GetProperty("model"));
    }

    [Fact]
    public void Presets_make_tokenizers_that_read_what_they_wrote()
    {
        string[] texts = [.. Enumerable.Range(0, 200).Select(i => $"The cat number {i} sat on the mat, and the dog of house {i % 7} saw it.")];
        Tokenizer bert = Tokenizer.TrainWordPiece(texts, 200), unigram = Tokenizer.TrainUnigram(texts, 120), words = Tokenizer.TrainWords(texts, 100);
        Assert.Equal("[CLS] the cat sat. [SEP]", Tokenizer.FromJson(bert.ToJson()).Decode(bert.Encode("The CAT sat.").Ids, skipSpecialTokens: false));
        Assert.Equal("The cat saw 12 dogs", Tokenizer.FromJson(unigram.ToJson()).Decode(unigram.Encode("The cat  saw 12 dogs").Ids));
        Assert.Equal(["The", "cat", "[UNK]", "."], Tokenizer.FromJson(words.ToJson()).Encode("The cat flew.").Tokens.Select((t, i) => t));
        Assert.Equal(unigram.ToJson(), Tokenizer.TrainUnigram(texts, 120).ToJson());
    }

    public static IEnumerable<object[]> UnigramCases() => Golden.Files("unigram_*.json", "goldens", "tokenizers", "trainers");

    [GoldenTheory, MemberData(nameof(UnigramCases))]
    public void Segmentations_with_the_pieces_of_the_reference_have_its_likelihood(string file)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "trainers", file), run = golden.GetProperty("runs")[0];
        Tokenizer tokenizer = Tokenizer.FromJson($$"""
            { "normalizer": {{golden.GetProperty("normalizer").GetRawText()}}, "pre_tokenizer": {{golden.GetProperty("pre_tokenizer").GetRawText()}},
              "model": { "type": "Unigram", "unk_id": 0, "vocab": {{golden.GetProperty("vocab_one_run").GetRawText()}} } }
            """);
        (int tokens, double likelihood) = Measure(golden, tokenizer);
        Assert.Equal(run.GetProperty("tokens").GetInt32(), tokens);
        double expected = run.GetProperty("viterbi_log_likelihood").GetDouble();
        Assert.InRange(likelihood, expected - (1e-5 * Math.Abs(expected)), expected + (1e-5 * Math.Abs(expected)));
    }

    // As good a vocabulary as the reference's, not the same one: at most 3 % more tokens, a likelihood at most 2 % worse.
    private static void CheckUnigram(JsonElement golden, Tokenizer trained, bool isSentencePiece)
    {
        JsonElement reference = isSentencePiece ? golden : golden.GetProperty("runs")[0];
        int size = isSentencePiece ? golden.GetProperty("pieces").GetArrayLength() : reference.GetProperty("vocab").GetInt32();
        (int tokens, double likelihood) = Measure(golden, trained);
        double best = reference.GetProperty("viterbi_log_likelihood").GetDouble();
        Assert.True(trained.VocabularySize <= golden.GetProperty("trainer").GetProperty("vocab_size").GetInt32(), $"{trained.VocabularySize} tokens");
        Assert.True(tokens <= 1.03 * reference.GetProperty("tokens").GetInt32(), $"{tokens} tokens over the corpus, {reference.GetProperty("tokens")} by the reference ({trained.VocabularySize} in the vocabulary, {size})");
        Assert.True(likelihood >= best - (0.02 * Math.Abs(best)), $"log-likelihood {likelihood}, {best} by the reference ({trained.VocabularySize} in the vocabulary, {size})");
    }

    private static (int Tokens, double LogLikelihood) Measure(JsonElement golden, Tokenizer tokenizer)
    {
        Dictionary<string, double> scores = JsonDocument.Parse(tokenizer.ToJson()).RootElement.GetProperty("model").GetProperty("vocab").EnumerateArray().ToDictionary(p => p[0].GetString()!, p => p[1].GetDouble());
        int tokens = 0;
        double likelihood = 0;
        foreach (string line in Lines(golden).Select(l => l.TrimEnd('\n')).Where(l => l.Length > 0))
        {
            foreach (int id in tokenizer.Encode(line, addSpecialTokens: false).Ids)
            {
                tokens++;
                likelihood += scores[tokenizer.IdToToken(id)!];
            }
        }
        return (tokens, likelihood);
    }

    private static WordLevelTrainer ReadWordLevel(JsonElement trainer) => new()
    {
        VocabularySize = trainer.GetProperty("vocab_size").GetInt32(), MinFrequency = Int(trainer, "min_frequency", 0), SpecialTokens = Expected.Strings(trainer.GetProperty("special_tokens")),
    };

    private static WordPieceTrainer ReadWordPiece(JsonElement trainer) => new()
    {
        VocabularySize = trainer.GetProperty("vocab_size").GetInt32(), MinFrequency = Int(trainer, "min_frequency", 0), SpecialTokens = Expected.Strings(trainer.GetProperty("special_tokens")),
        LimitAlphabet = trainer.TryGetProperty("limit_alphabet", out JsonElement limit) ? limit.GetInt32() : null,
    };

    private static UnigramTrainer ReadUnigram(JsonElement trainer) => new()
    {
        VocabularySize = trainer.GetProperty("vocab_size").GetInt32(), SpecialTokens = trainer.TryGetProperty("special_tokens", out JsonElement special) ? Expected.Strings(special) : ["<unk>", "<s>", "</s>"],
        ShrinkingFactor = trainer.TryGetProperty("shrinking_factor", out JsonElement factor) ? factor.GetDouble() : 0.75, SubIterations = Int(trainer, "n_sub_iterations", Int(trainer, "num_sub_iterations", 2)),
        MaxPieceLength = Int(trainer, "max_piece_length", Int(trainer, "max_sentencepiece_length", 16)), SeedSize = Int(trainer, "seed_sentencepiece_size", 1_000_000),
    };

    private static int Int(JsonElement trainer, string name, int otherwise) => trainer.TryGetProperty(name, out JsonElement value) ? value.GetInt32() : otherwise;

    private static void Check(JsonElement golden, JsonElement model)
    {
        string[] merges = model.TryGetProperty("merges", out JsonElement list) ? [.. list.EnumerateArray().Select(Pair)] : [];
        string[] vocab = [.. model.GetProperty("vocab").EnumerateObject().OrderBy(p => p.Value.GetInt32()).Select(p => p.Name)];
        if (golden.GetProperty("exact").GetBoolean())
        {
            Assert.Equal(golden.TryGetProperty("merges", out JsonElement learned) ? learned.EnumerateArray().Select(Pair) : [], merges);
            Assert.Equal(Expected.Strings(golden.GetProperty("vocab")), vocab);
            return;
        }
        // The reference numbers decorated symbols in hash order: what every run agrees on must be here.
        Assert.Empty(Expected.Strings(golden.GetProperty("in_every_run")).Except(vocab));
        JsonElement trainer = golden.GetProperty("trainer");
        // Which of equally frequent characters a limit keeps is chance in the reference, and with it where the merges end.
        bool isChance = trainer.TryGetProperty("limit_alphabet", out _);
        Assert.InRange(vocab.Length, isChance ? 1 : golden.GetProperty("vocab_size_reached").GetInt32(), isChance ? trainer.GetProperty("vocab_size").GetInt32() : golden.GetProperty("vocab_size_reached").GetInt32());
        string[] prefix = golden.TryGetProperty("merges_common_prefix", out JsonElement common) ? [.. common.EnumerateArray().Select(Pair)] : [];
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
