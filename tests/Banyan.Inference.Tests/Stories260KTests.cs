using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>A real model, read from llama2.c's file: the ids, logits and likelihoods that llama2.c itself gives.</summary>
[Trait("Category", "Golden")]
public sealed class Stories260KTests
{
    private static readonly string[] s_folder = ["assets", "weights", "stories260K"];

    public static IEnumerable<object[]> Prompts() => Cases().Select(c => new object[] { c.GetProperty("prompt").GetString()! });

    [GoldenTheory, MemberData(nameof(Prompts))]
    public void Equals_llama2c(string prompt)
    {
        LanguageModel lm = LanguageModel.Load(Path.Combine(SharedFolder.Get(s_folder), "stories260K.bin"));
        JsonElement c = Cases().First(x => x.GetProperty("prompt").GetString() == prompt);
        int[] ids = lm.Tokenizer.EncodeToIds(prompt);
        Assert.Equal(Ids(c, "prompt_tokens"), ids);
        int[] greedy = Ids(c, "greedy_tokens");
        Completion done = lm.Generate([ids], new GenerationOptions { Temperature = 0, MaxNewTokens = greedy.Length, IgnoreEnd = true })[0];
        Assert.Equal(greedy, done.Ids);
        if (ids.Length > 1)
        {
            double nll = -lm.Score(ids).LogProbs.Sum(), expected = c.GetProperty("prompt_nll_sum").GetDouble();
            Assert.True(Math.Abs(nll - expected) <= 1e-4 * Math.Max(1, expected), $"nll {nll}, llama2.c {expected}");
        }
        float[] logits = new float[lm.Model.VocabularySize];
        using var session = new DecodingSession(lm.Model);
        session.Last([.. ids.Select(i => (long)i)], [ids.Length], [new()], logits);
        double[] reference = [.. c.GetProperty("next_logits_after_prompt").EnumerateArray().Select(v => v.GetDouble())];
        Assert.True(reference.Zip(logits, (e, a) => Math.Abs(e - a)).Max() <= 2e-4);
    }

    [GoldenFact]
    public void Every_promise_holds() =>
        Assert.All(ModelVerification.Run(Path.Combine(SharedFolder.Get(s_folder), "stories260K.bin")), check => Assert.True(check.Pass, $"{check.Name}: {check.Detail}"));

    [GoldenFact]
    public async Task Streamed_text_is_the_whole_text_and_stops_before_the_stop_string()
    {
        LanguageModel lm = LanguageModel.Load(Path.Combine(SharedFolder.Get(s_folder), "stories260K.bin"));
        var options = new GenerationOptions { Temperature = 0, MaxNewTokens = 60 };
        string text = "";
        await foreach (GeneratedToken t in lm.GenerateAsync("Once upon a time", options))
        {
            text += t.Text;
        }
        Assert.Equal(lm.Generate([lm.Tokenizer.EncodeToIds("Once upon a time")], options)[0].Text, text);
        Completion stopped = lm.Generate([lm.Tokenizer.EncodeToIds("Once upon a time")], options with { StopStrings = ["girl nam", "zzz"] })[0];
        Assert.Equal(FinishReason.StopString, stopped.Finish);
        Assert.Equal(text[..text.IndexOf("girl nam", StringComparison.Ordinal)], stopped.Text);
    }

    [GoldenFact]
    public void Completions_differ_by_seed_and_number_and_nothing_else()
    {
        LanguageModel lm = LanguageModel.Load(Path.Combine(SharedFolder.Get(s_folder), "stories260K.bin"));
        int[] prompt = lm.Tokenizer.EncodeToIds("One day");
        var options = new GenerationOptions { MaxNewTokens = 30, Completions = 3, Seed = 5, TopLogProbs = 2 };
        Completion[] first = lm.Generate([prompt], options), again = lm.Generate([prompt[..2], prompt], options);
        Assert.Equal(3, first.Select(c => c.Text).Distinct().Count());
        Assert.Equal(first.Select(c => c.Text), again.Skip(3).Select(c => c.Text));
        Assert.NotEqual(first[0].Text, lm.Generate([prompt], options with { Seed = 6 })[0].Text);
        Assert.All(first[0].Top, t => Assert.True(t.Count == 2 && t[0].LogProb >= t[1].LogProb));
    }

    [GoldenFact]
    public void Impossible_requests_are_refused()
    {
        LanguageModel lm = LanguageModel.Load(Path.Combine(SharedFolder.Get(s_folder), "stories260K.bin"));
        Assert.Throws<ArgumentException>(() => lm.Generate([[]]));
        Assert.Throws<ArgumentException>(() => lm.Generate([[1]], new GenerationOptions { TopP = 0 }));
        Assert.Contains("513", Assert.Throws<ArgumentException>(() => lm.Generate([new int[513]])).Message, StringComparison.Ordinal);
        Assert.Contains("512", Assert.Throws<ArgumentOutOfRangeException>(() => lm.Generate([[512]])).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonElement> Cases() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SharedFolder.Get(s_folder), "golden_stories260K.json"))).RootElement.GetProperty("cases").EnumerateArray();

    private static int[] Ids(JsonElement c, string key) => [.. c.GetProperty(key).EnumerateArray().Select(v => v.GetInt32())];
}
