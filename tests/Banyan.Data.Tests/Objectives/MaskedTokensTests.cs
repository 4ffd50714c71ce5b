using System.Text.Json;
using Banyan.Data.Batches;
using Banyan.Data.Objectives;
using Banyan.Testing;

namespace Banyan.Data.Tests.Objectives;

public sealed class MaskedTokensTests
{
    private const int Vocabulary = 200, Mask = 4, Length = 128, Rows = 2000;
    private static readonly int[] s_special = [0, 1, 2, 3];

    public static IEnumerable<object[]> Probabilities()
    {
        using JsonDocument? golden = Open();
        return golden is null ? [[0.15]] : [.. golden.RootElement.GetProperty("rows").EnumerateArray().Select(r => new object[] { r.GetProperty("mlm_probability").GetDouble() })];
    }

    [SkippableTheory, MemberData(nameof(Probabilities))]
    [Trait("Category", "Golden")]
    public void Shares_lie_in_the_bands_of_the_reference(double probability)
    {
        using JsonDocument? golden = Open();
        Assert.False(golden is null && SharedFolder.IsCi, "goldens/training/mlm_statistics is missing: set BANYAN_SHARED");
        Skip.If(golden is null, "goldens/training/mlm_statistics is missing: set BANYAN_SHARED");
        JsonElement bands = golden!.RootElement.GetProperty("rows").EnumerateArray().First(r => r.GetProperty("mlm_probability").GetDouble() == probability).GetProperty("five_sigma_bands");
        var rule = new MaskedTokens(Vocabulary, Mask, s_special) { Probability = probability };
        double eligible = 0, selected = 0, masked = 0, unchanged = 0;
        for (int r = 0; r < Rows; r++)
        {
            int[] original = Row(r), ids = [.. original], labels = new int[Length];
            rule.Apply(ids, labels, r);
            for (int i = 0; i < Length; i++)
            {
                bool special = original[i] <= Mask;
                eligible += special ? 0 : 1;
                if (labels[i] == TrainingBatch.IgnoreIndex)
                {
                    Assert.Equal(original[i], ids[i]);
                    continue;
                }
                Assert.False(special);
                Assert.Equal(original[i], labels[i]);
                selected++;
                masked += ids[i] == Mask ? 1 : 0;
                unchanged += ids[i] == original[i] ? 1 : 0;
            }
        }
        Within(bands, "selected", selected / eligible);
        Within(bands, "masked", (masked - (0.1 / Vocabulary * selected)) / selected);   // without the random draws that hit the mask token
        Within(bands, "unchanged", unchanged / selected);
    }

    [Fact]
    public void A_word_is_chosen_as_a_whole_and_a_row_always_alike()
    {
        var rule = new MaskedTokens(Vocabulary, Mask, s_special, seed: 7) { Probability = 0.3 };
        int[] words = [.. Enumerable.Range(0, Length).Select(i => i / 3)];
        int[] ids = [.. Row(1).Select(i => Math.Max(i, Mask + 1))], labels = new int[Length], again = [.. ids], sameLabels = new int[Length];
        rule.Apply(ids, labels, 1, words);
        rule.Apply(again, sameLabels, 1, words);
        Assert.Equal(ids, again);
        Assert.Equal(labels, sameLabels);
        Assert.All(words.Distinct(), w => Assert.Single(Enumerable.Range(0, Length).Where(i => words[i] == w).Select(i => labels[i] == TrainingBatch.IgnoreIndex).Distinct()));
        Assert.Contains(labels, l => l != TrainingBatch.IgnoreIndex);
    }

    [Fact]
    public void Lengths_must_agree() => Assert.Throws<ArgumentException>(() => new MaskedTokens(Vocabulary, Mask, s_special).Apply(new int[3], new int[2], 0));

    private static void Within(JsonElement bands, string name, double value)
    {
        double[] band = [.. bands.GetProperty(name).EnumerateArray().Select(b => b.GetDouble())];
        Assert.InRange(value, band[0], band[1]);
    }

    private static int[] Row(int row)
    {
        var random = new CounterRandom(1, 0, (ulong)row);
        var ids = new int[Length];
        for (int i = 0; i < Length; i++)
        {
            ids[i] = random.NextInt(Vocabulary);
        }
        return ids;
    }

    private static JsonDocument? Open()
    {
        string? folder = SharedFolder.TryGet("goldens", "training", "mlm_statistics");
        return folder is null ? null : JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
    }
}
