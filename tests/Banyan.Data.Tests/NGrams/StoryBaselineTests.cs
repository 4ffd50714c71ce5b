using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Banyan.Data.NGrams;
using Banyan.Data.Stories;
using Xunit.Abstractions;

namespace Banyan.Data.Tests.NGrams;

/// <summary>What n-gram models make of the stories: the gap to the exact entropy is what a model with memory can win.</summary>
public partial class StoryBaselineTests(ITestOutputHelper output)
{
    [Fact]
    public void N_grams_stay_far_above_the_entropy_of_the_stories()
    {
        var words = new Dictionary<string, int> { ["<end>"] = 0 };
        var generator = new StoryGenerator(1);
        long start = Stopwatch.GetTimestamp();
        StoryDocument[] texts = [.. generator.TrainingCorpus(10_000_000)];
        double generated = Stopwatch.GetElapsedTime(start).TotalSeconds;
        ReadOnlyMemory<int>[] training = [.. texts.Select(d => Ids(d.Text, words))];
        StoryDocument[] heldOut = [.. generator.HeldOutCorpus(1000)];
        ReadOnlyMemory<int>[] test = [.. heldOut.Select(d => Ids(d.Text, words))];

        start = Stopwatch.GetTimestamp();
        var trigram = KneserNeyModel.TrainModified(training, words.Count, 0);
        double trained = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var unigram = KneserNeyModel.TrainModified(training, words.Count, 0, order: 1);
        long tokens = test.Sum(d => d.Length + 1), trainingTokens = training.Sum(d => d.Length + 1);
        double floor = heldOut.Sum(d => d.Nll) / tokens;
        start = Stopwatch.GetTimestamp();
        double three = test.Sum(d => trigram.Nll(d.Span)) / tokens;
        double scored = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double one = test.Sum(d => unigram.Nll(d.Span)) / tokens;

        output.WriteLine($"nats per word token, held out: unigram {one:F4}, trigram {three:F4}, entropy {floor:F4}");
        output.WriteLine($"{words.Count} words, {trainingTokens} training tokens, {trainingTokens / (double)texts.Length:F1} tokens per document");
        output.WriteLine($"generator {texts.Sum(d => (long)d.Text.Length) / generated / 1e6:F1} MB/s; trigram training " +
            $"{texts.Sum(d => (long)d.Text.Length) / trained / 1e6:F1} MB/s = {trainingTokens / trained / 1e6:F2} Mtokens/s; " +
            $"scoring {tokens / scored / 1e6:F2} Mtokens/s");
        Assert.InRange(floor, 0.3, 0.7);
        Assert.True(three > 2 * floor, $"trigram {three}, entropy {floor}");
        Assert.True(one > 1.5 * three, $"unigram {one}, trigram {three}");
    }

    private static ReadOnlyMemory<int> Ids(string text, Dictionary<string, int> words)
    {
        var ids = new List<int>(200);
        foreach (Match word in Word().Matches(text))
        {
            ref int id = ref CollectionsMarshal.GetValueRefOrAddDefault(words, word.Value, out bool known);
            id = known ? id : words.Count - 1;
            ids.Add(id);
        }
        return ids.ToArray();
    }

    [GeneratedRegex(@"\w+|[^\w ]")]
    private static partial Regex Word();
}
