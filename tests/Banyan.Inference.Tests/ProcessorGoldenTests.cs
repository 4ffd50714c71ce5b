using System.Text.Json;
using Banyan.Inference.Sampling;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>The rules of sampling give the distributions of the reference.</summary>
[Trait("Category", "Golden")]
public sealed class ProcessorGoldenTests
{
    private static readonly string[] s_folder = ["goldens", "generation", "processors"];

    public static IEnumerable<object[]> Cases()
    {
        using Golden golden = Golden.Open(s_folder);
        return [.. golden.Json.GetProperty("cases").EnumerateArray().Select(c => new object[] { c.GetProperty("case").GetString()! })];
    }

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Distribution_equals_the_reference(string name)
    {
        using Golden golden = Golden.Open(s_folder);
        JsonElement c = golden.Json.GetProperty("cases").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        string logitsName = golden.Has($"{name}.logits") ? $"{name}.logits" : "logits", idsName = golden.Has($"{name}.input_ids") ? $"{name}.input_ids" : "input_ids";
        float[] logits = golden.Floats(logitsName);
        bool scored = !golden.Has($"{name}.probs");
        double[] expected = golden.Doubles(scored ? $"{name}.scores" : $"{name}.probs");
        long[] ids = golden.Longs(idsName);
        int rows = (int)golden.Shape(logitsName)[0], vocabulary = logits.Length / rows, length = ids.Length / rows;
        for (int r = 0; r < rows; r++)
        {
            int[] seen = [.. ids.Skip(r * length).Take(length).Select(i => (int)i)];
            GenerationOptions? options = Options(c.GetProperty("reference").GetString()!, c.GetProperty("parameters"), r, golden, name);
            Skip.If(options is null, $"pending: {c.GetProperty("reference").GetString()}");
            bool counts = options!.FrequencyPenalty != 0 || options.PresencePenalty != 0;
            var sampler = new Sampler(options, counts ? [] : seen);
            Array.ForEach(counts ? seen : [], sampler.Count);
            float[] actual = logits[(r * vocabulary)..((r + 1) * vocabulary)];
            if (scored)
            {
                Array.ForEach([.. options.Processors], p => p.Apply(seen, actual));
            }
            else
            {
                actual = sampler.Distribution(actual);
            }
            for (int v = 0; v < vocabulary; v++)
            {
                double e = expected[(r * vocabulary) + v];
                Assert.True(Math.Abs(actual[v] - e) <= 1e-5 * Math.Max(e, 1e-3), $"row {r} token {v}: {actual[v]:R}, reference {e:R}");
            }
        }
    }

    private static GenerationOptions? Options(string reference, JsonElement p, int row, Golden golden, string name)
    {
        int[] Ints(string key) => p.GetProperty(key).ValueKind == JsonValueKind.Array ? [.. p.GetProperty(key).EnumerateArray().Select(v => v.GetInt32())] : [p.GetProperty(key).GetInt32()];
        double Number(string key) => p.GetProperty(key).GetDouble();
        int Int(string key) => p.GetProperty(key).GetInt32();
        GenerationOptions With(params ILogitsProcessor[] rules) => new() { Processors = rules };
        int Keep() => p.TryGetProperty("min_tokens_to_keep", out JsonElement k) ? k.GetInt32() : 1;
        int count = p.EnumerateObject().Count();
        int[] source = p.TryGetProperty("encoder_input_ids", out JsonElement sources) ? [.. sources[row].EnumerateArray().Select(v => v.GetInt32())] : [];
        switch (reference.Split(' ')[0].Split('.')[^1])
        {
            case "TemperatureLogitsWarper": return new() { Temperature = Number("temperature") };
            case "TopKLogitsWarper": return new() { TopK = Int("top_k"), MinTokensToKeep = Keep() };
            case "TopPLogitsWarper": return new() { TopP = Number("top_p"), MinTokensToKeep = Keep() };
            case "MinPLogitsWarper": return new() { MinP = Number("min_p"), MinTokensToKeep = Keep() };
            case "RepetitionPenaltyLogitsProcessor" when count == 1: return new() { RepetitionPenalty = Number("penalty") };
            case "RepetitionPenaltyLogitsProcessor": return With(new RepetitionPenalty(Number("penalty"), Int("prompt_ignore_length")));
            case "EncoderRepetitionPenaltyLogitsProcessor": return With(new RepetitionPenalty(1 / Number("penalty"), source: source));
            case "TypicalLogitsWarper": return With(new Typical(Number("mass")));
            case "EpsilonLogitsWarper": return With(new EpsilonCut(Number("epsilon")));
            case "EtaLogitsWarper": return With(new EpsilonCut(Number("epsilon"), adaptive: true));
            case "TopHLogitsWarper": return With(new TopH(Number("top_h")));
            case "NoRepeatNGramLogitsProcessor": return With(new NoRepeatNGram(Int("ngram_size")));
            case "EncoderNoRepeatNGramLogitsProcessor": return With(new NoRepeatNGram(Int("encoder_ngram_size"), source));
            case "NoBadWordsLogitsProcessor": return With(SequenceBias.BadWords(p.GetProperty("bad_words_ids").EnumerateArray().Select(w => (IReadOnlyList<int>)[.. w.EnumerateArray().Select(v => v.GetInt32())])));
            case "SequenceBiasLogitsProcessor":
                return With(new SequenceBias([.. p.GetProperty("sequence_bias").EnumerateArray().Select(b => ((IReadOnlyList<int>)[.. b[0].EnumerateArray().Select(v => v.GetInt32())], b[1].GetDouble()))]));
            case "MinLengthLogitsProcessor": return With(new MinLength(Int("min_length"), Ints("eos_token_id")));
            case "MinNewTokensLengthLogitsProcessor": return With(new MinLength(Int("prompt_length_to_skip") + Int("min_new_tokens"), Ints("eos_token_id")));
            case "ForcedBOSTokenLogitsProcessor": return With(new ForcedBegin(Int("bos_token_id")));
            case "ForcedEOSTokenLogitsProcessor": return With(new ForcedEnd(Int("max_length"), Ints("eos_token_id")));
            case "SuppressTokensLogitsProcessor": return With(new SuppressTokens(Ints("suppress_tokens")));
            case "SuppressTokensAtBeginLogitsProcessor": return With(new SuppressTokens(Ints("begin_suppress_tokens"), Int("begin_index")));
            case "ExponentialDecayLengthPenalty":
                JsonElement decay = p.GetProperty("exponential_decay_length_penalty");
                return With(new ExponentialDecayLength(decay[0].GetInt32() + Int("input_ids_seq_length"), decay[1].GetDouble(), Ints("eos_token_id")));
            case "InfNanRemoveLogitsProcessor": return With(new RemoveInvalid());
            case "LogitNormalization": return With(new Normalisation());
            case "PrefixConstrainedLogitsProcessor":
                return With(new PrefixConstraint(_ => [.. p.GetProperty("allowed_for_even_and_odd_rows")[row % 2].EnumerateArray().Select(v => v.GetInt32())]));
            case "WatermarkLogitsProcessor":
                int[] green = [.. golden.Longs("watermark.greenlist").Skip(row * 10).Take(10).Select(i => (int)i)];
                return With(new Watermark(_ => green, Number("bias")));
            case "ClassifierFreeGuidanceLogitsProcessor": return With(new GivenGuidance(golden.Floats("guidance.unconditional_logits")[(row * 40)..((row + 1) * 40)], Number("guidance_scale")));
            case "in" or "transformers," when reference.Contains("in the order of generate()", StringComparison.Ordinal):
                return new() { RepetitionPenalty = 1.2, Temperature = 0.8, TopK = 15, TopP = 0.9, MinP = 0.03, Processors = [new NoRepeatNGram(2)] };
        }
        return reference switch
        {
            _ when p.TryGetProperty("frequency_penalty", out JsonElement f) => new() { FrequencyPenalty = f.GetDouble(), PresencePenalty = Number("presence_penalty") },
            _ when reference.Contains("DRY", StringComparison.Ordinal) => With(new DryPenalty(Number("multiplier"), Number("base"), Int("allowed_length"), Ints("sequence_breaker_ids"), Int("last_n"))),
            _ when reference.Contains("XTC", StringComparison.Ordinal) => With(new GivenXtc(Number("probability"), Number("threshold"), Number("draw"))),
            _ when reference.Contains("Tang et al", StringComparison.Ordinal) => With(new TopNSigma(Number("n"))),
            _ when p.TryGetProperty("exponent", out _) => With(new DynamicTemperature(Number("minimum"), Number("maximum"), Number("exponent"))),
            _ when reference.Contains("quadratic", StringComparison.Ordinal) => With(new QuadraticSmoothing(Number("factor"))),
            _ when reference.Contains("tail-free", StringComparison.Ordinal) => With(new TailFree(Number("z"))),
            _ => null,
        };
    }

    private sealed class GivenGuidance(float[] unconditional, double scale) : ILogitsProcessor
    {
        public void Apply(ReadOnlySpan<int> ids, Span<float> scores) => Guidance.Mix(scores, unconditional, scale);
    }

    private sealed class GivenXtc(double probability, double threshold, double draw) : ILogitsProcessor
    {
        public void Apply(ReadOnlySpan<int> ids, Span<float> scores) => Xtc.Apply(scores, probability, threshold, draw);
    }
}
