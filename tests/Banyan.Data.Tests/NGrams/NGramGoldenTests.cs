using System.Text.Json;
using Banyan.Data.NGrams;
using Banyan.Testing;

namespace Banyan.Data.Tests.NGrams;

[Trait("Category", "Golden")]
public class NGramGoldenTests
{
    private static readonly string? Folder = SharedFolder.TryGet("goldens", "classic");

    /// <summary>Every case folder of this family, or one row that says that the shared folder is missing.</summary>
    public static TheoryData<string> Cases()
    {
        var cases = new TheoryData<string>();
        string[] found = Folder is null ? [] : Directory.GetDirectories(Folder, "ngram_lm*");
        foreach (string folder in found.Order(StringComparer.Ordinal))
        {
            cases.Add(Path.GetFileName(folder));
        }
        if (found.Length == 0)
        {
            cases.Add("(missing)");
        }
        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Models_equal_the_reference(string name)
    {
        Assert.False(name == "(missing)" && SharedFolder.IsCi, "shared/goldens/classic is missing");
        Skip.If(name == "(missing)", "shared/goldens/classic is missing: set BANYAN_SHARED");
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder!, name, "case.json")));
        var test = new Golden(golden.RootElement);
        test.CheckDiscounts();
        test.CheckDistributions();
        test.CheckPerplexity();
    }

    private sealed class Golden
    {
        private readonly JsonElement _root;
        private readonly string[] _words;
        private readonly KneserNeyModel _plain, _modified;
        private readonly Dictionary<string, NGramModel> _models;

        public Golden(JsonElement root)
        {
            _root = root;
            _words = Strings(root.GetProperty("vocabulary"));
            ReadOnlyMemory<int>[] corpus = [.. Strings(root.GetProperty("corpus")).Select(s => Ids(s.Split(' ')))];
            int order = root.GetProperty("params").GetProperty("order").GetInt32();
            double discount = root.GetProperty("params").GetProperty("discount").GetDouble();
            int end = Id("</s>");
            _plain = KneserNeyModel.Train(corpus, _words.Length, end, order, discount);
            _modified = KneserNeyModel.TrainModified(corpus, _words.Length, end, order);
            _models = new()
            {
                ["kneser_ney"] = _plain,
                ["modified_kneser_ney"] = _modified,
                ["laplace"] = new LaplaceModel(corpus, _words.Length, end, order),
                ["stupid_backoff"] = new StupidBackoffModel(corpus, _words.Length, end, order),
            };
        }

        public void CheckDiscounts()
        {
            foreach (JsonProperty order in _root.GetProperty("modified_discounts_D1_D2_D3plus").EnumerateObject())
            {
                double[] expected = [.. order.Value.EnumerateArray().Select(v => v.GetDouble())];
                Assert.Equal(expected, _modified.Discounts(int.Parse(order.Name)), (a, b) => Math.Abs(a - b) < 1e-9);
            }
        }

        public void CheckDistributions()
        {
            foreach (JsonElement row in _root.GetProperty("distributions").EnumerateArray())
            {
                string[] context = Strings(row.GetProperty("context"));
                int[] ids = [.. context.Where(w => w != "<s>").Select(Id)];
                foreach (JsonProperty method in row.EnumerateObject().Where(p => p.Name != "context"))
                {
                    foreach (JsonProperty word in method.Value.EnumerateObject())
                    {
                        double actual = _models[method.Name].Probability(ids, Id(word.Name));
                        Assert.True(Math.Abs(actual - word.Value.GetDouble()) <= 1e-9,
                            $"{method.Name}({word.Name} | {string.Join(' ', context)}) = {actual}, expected {word.Value.GetDouble()}");
                    }
                }
            }
        }

        public void CheckPerplexity()
        {
            JsonElement expected = _root.GetProperty("perplexity");
            int[][] sentences = [.. expected.GetProperty("sentences").EnumerateArray().Select(s => Ids(Strings(s)))];
            Assert.Equal(expected.GetProperty("words_with_end").GetInt32(), sentences.Sum(s => s.Length + 1));
            Assert.Equal(expected.GetProperty("kneser_ney_log_prob_sum").GetDouble(), -sentences.Sum(s => _plain.Nll(s)), 1e-9);
            Assert.Equal(expected.GetProperty("perplexity").GetDouble(), _plain.Perplexity(sentences.Select(s => (ReadOnlyMemory<int>)s)), 1e-9);
        }

        private int[] Ids(string[] words) => [.. words.Select(Id)];

        private int Id(string word) => Array.IndexOf(_words, word);

        private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetString()!)];
    }
}
