using System.Text.Json;
using Banyan.Inference.Sampling;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Greedy and beam search with their rules give the ids and scores of transformers' generate().</summary>
[Trait("Category", "Golden")]
public sealed class DecodingGoldenTests
{
    private static readonly string[] s_folder = ["goldens", "generation", "decoding"];

    public static IEnumerable<object[]> Cases()
    {
        using Golden golden = Golden.Open(s_folder);
        return [.. golden.Json.GetProperty("cases").EnumerateArray().Select(c => new object[] { c.GetProperty("case").GetString()! })];
    }

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Ids_equal_the_reference(string name)
    {
        using Golden golden = Golden.Open(s_folder);
        JsonElement c = golden.Json.GetProperty("cases").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        if (!c.TryGetProperty("do_sample", out _))
        {
            OfThePapers(name, c, golden);
            return;
        }
        LanguageModel lm = LanguageModel.Load(SharedFolder.Get("goldens", "generation", "models", c.GetProperty("model").GetString()!));
        int[] ends = c.GetProperty("eos_token_id").ValueKind == JsonValueKind.Array ? [.. c.GetProperty("eos_token_id").EnumerateArray().Select(e => e.GetInt32())] : [c.GetProperty("eos_token_id").GetInt32()];
        lm = new LanguageModel(lm.Model, endIds: ends);
        long[] ids = golden.Longs($"{name}.input_ids"), mask = golden.Longs($"{name}.attention_mask"), sequences = golden.Longs($"{name}.sequences");
        int rows = (int)golden.Shape($"{name}.input_ids")[0], length = ids.Length / rows, each = c.GetProperty("num_return_sequences").GetInt32(), width = sequences.Length / (rows * each);
        double[]? scores = golden.Has($"{name}.sequences_scores") ? golden.Doubles($"{name}.sequences_scores") : null;
        for (int r = 0; r < rows; r++)
        {
            int[] prompt = [.. Enumerable.Range(r * length, length).Where(i => mask[i] != 0).Select(i => (int)ids[i])];
            IReadOnlyList<Beam> beams = Run(lm, prompt, c, ends);
            for (int b = 0; b < each; b++)
            {
                long[] expected = sequences[(((r * each) + b) * width)..(((r * each) + b + 1) * width)][length..];
                // The reference fills up beams with the end, since it takes a padding id of 0 for none.
                long fill = scores is null ? 0 : ends[0];
                Assert.Equal(expected, beams[b].Ids.Select(i => (long)i).Concat(Enumerable.Repeat(fill, expected.Length - beams[b].Ids.Count)));
                if (scores is not null)
                {
                    Assert.Equal(scores[(r * each) + b], beams[b].Score, 1e-5 * Math.Max(1, Math.Abs(scores[(r * each) + b])));
                }
            }
        }
    }

    private static void OfThePapers(string name, JsonElement c, Golden golden)
    {
        LanguageModel Model(string key) => new(LanguageModel.Load(SharedFolder.Get("goldens", "generation", "models", c.GetProperty(key).GetString()!)).Model, endIds: []);
        LanguageModel lm = Model("model");
        int[] prompt = [.. golden.Longs($"{name}.input_ids").Select(i => (int)i)];
        if (c.TryGetProperty("penalty_alpha", out JsonElement alpha))
        {
            IReadOnlyList<int> text = ContrastiveSearch.Generate(lm, prompt, c.GetProperty("max_new_tokens").GetInt32(), c.GetProperty("top_k").GetInt32(), alpha.GetDouble());
            Assert.Equal(golden.Longs($"{name}.sequences"), prompt.Concat(text).Select(i => (long)i));
        }
        else if (c.TryGetProperty("groups", out JsonElement groups))
        {
            IReadOnlyList<Beam> beams = DiverseBeamSearch.Search(lm, prompt, c.GetProperty("max_new_tokens").GetInt32(), groups.GetInt32(), c.GetProperty("beams_per_group").GetInt32(), c.GetProperty("diversity_penalty").GetDouble(),
                [new SuppressTokens([2])]);   // "eos: never chosen"
            Assert.Equal(golden.Longs($"{name}.sequences"), beams.SelectMany(b => prompt.Concat(b.Ids)).Select(i => (long)i));
            Assert.All(golden.Doubles($"{name}.scores").Zip(beams), s => Assert.Equal(s.First, s.Second.Score, 1e-4));
        }
        else
        {
            long[] greedy = golden.Longs($"{name}.greedy");
            using var draft = new ModelDraft(Model("assistant"));
            foreach (IDraft d in new IDraft[] { draft, new PromptLookup() })
            {
                Assert.Equal(greedy, prompt.Concat(AssistedDecoding.Generate(lm, d, prompt, greedy.Length - prompt.Length)).Select(i => (long)i));
            }
            long[] next = golden.Longs($"{name}.draft_next");
            Assert.Equal(next[0], draft.Propose(prompt, 1)[0]);
        }
    }

    private static IReadOnlyList<Beam> Run(LanguageModel lm, int[] prompt, JsonElement c, int[] ends)
    {
        T? Option<T>(string key, Func<JsonElement, T> read) => c.TryGetProperty(key, out JsonElement v) ? read(v) : default;
        int tokens = c.GetProperty("max_new_tokens").GetInt32(), beams = Option("num_beams", v => v.GetInt32());
        List<ILogitsProcessor> rules = [];
        using Guidance? guidance = c.TryGetProperty("guidance_scale", out JsonElement scale) ? new Guidance(lm, prompt.Length, scale.GetDouble()) : null;
        rules.AddRange(guidance is null ? [] : [guidance]);
        rules.AddRange(Option("repetition_penalty", v => v.GetDouble()) is > 0 and double penalty ? [new RepetitionPenalty(penalty)] : []);
        rules.AddRange(Option("no_repeat_ngram_size", v => v.GetInt32()) is > 0 and int size ? [new NoRepeatNGram(size)] : []);
        rules.AddRange(Option("bad_words_ids", v => SequenceBias.BadWords(v.EnumerateArray().Select(w => (IReadOnlyList<int>)[.. w.EnumerateArray().Select(i => i.GetInt32())]))) is { } bad ? [bad] : []);
        rules.AddRange(Option("min_new_tokens", v => v.GetInt32()) is > 0 and int least ? [new MinLength(prompt.Length + least, ends)] : []);
        if (beams <= 1)
        {
            Completion text = lm.Generate([prompt], new() { MaxNewTokens = tokens, Temperature = 0, Processors = rules })[0];
            return [new Beam([.. text.Ids], 0)];
        }
        EarlyStopping stop = c.TryGetProperty("early_stopping", out JsonElement early) ? early.ValueKind switch { JsonValueKind.True => EarlyStopping.AtOnce, JsonValueKind.String => EarlyStopping.Never, _ => EarlyStopping.Estimated } : EarlyStopping.Estimated;
        return BeamSearch.Search(lm, prompt, new()
        {
            Beams = beams, MaxNewTokens = tokens, EarlyStopping = stop, LengthPenalty = c.TryGetProperty("length_penalty", out JsonElement lp) ? lp.GetDouble() : 1, Processors = rules,
        });
    }
}
