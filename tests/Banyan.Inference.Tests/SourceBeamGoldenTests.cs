using System.Text.Json;
using Banyan.Checkpoints;
using Banyan.Inference.Sampling;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Beam search of every encoder-decoder of the goldens: sequences and scores of transformers.</summary>
[Trait("Category", "Golden")]
public sealed class SourceBeamGoldenTests
{
    public static IEnumerable<object[]> Cases() => Golden.Cases("goldens", "models").Where(c => HasBeams((string)c[0]));

    private static bool HasBeams(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SharedFolder.Get("goldens", "models", name), "case.json"))).RootElement.TryGetProperty("beam", out _);

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Sequences_and_scores_equal_the_reference(string name)
    {
        using Golden golden = Golden.Open("goldens", "models", name);
        string folder = SharedFolder.Get("goldens", "models", name);
        string architecture = ConfigReader.Open(Path.Combine(folder, "config.json")).GetStrings("architectures").First();
        Skip.IfNot(ModelRegistry.Default.Architectures.Contains(architecture), $"pending: models/{name}");
        if (ModelFiles.Load(folder) is not EncoderDecoderModel model)
        {
            Assert.Fail($"{name} is no encoder-decoder");
            return;
        }
        JsonElement beam = golden.Json.GetProperty("beam");
        int tokens = beam.GetProperty("max_new_tokens").GetInt32(), end = beam.GetProperty("eos_token_id").GetInt32(), each = beam.GetProperty("num_return_sequences").GetInt32();
        List<ILogitsProcessor> rules = [];
        rules.AddRange(beam.GetProperty("forced_bos_token_id").ValueKind == JsonValueKind.Number ? [new ForcedBegin(beam.GetProperty("forced_bos_token_id").GetInt32())] : []);
        rules.AddRange(beam.GetProperty("forced_eos_token_id").ValueKind == JsonValueKind.Number ? [new ForcedEnd(1 + tokens, [beam.GetProperty("forced_eos_token_id").GetInt32()])] : []);
        long[] sequences = golden.Longs("beam.sequences");
        double[] scores = golden.Doubles("beam.scores");
        string[] given = [.. golden.Names.Where(n => n.StartsWith("beam.", StringComparison.Ordinal) && n is not ("beam.sequences" or "beam.scores"))];
        int rows = (int)golden.Shape(given[0])[0], width = sequences.Length / scores.Length;
        for (int r = 0; r < rows; r++)
        {
            var inputs = given.ToDictionary(n => n["beam.".Length..], n => Row(golden, n, r));
            IReadOnlyList<Beam> beams = BeamSearch.Search(model, pass => model.Encode(new ModelInputs(inputs), pass), [model.DecoderStartTokenId], [end], new()
            {
                Beams = beam.GetProperty("num_beams").GetInt32(), MaxNewTokens = tokens, LengthPenalty = beam.GetProperty("length_penalty").GetDouble(), EarlyStopping = EarlyStopping.AtOnce, Processors = rules,
            });
            for (int b = 0; b < each; b++)
            {
                long[] expected = sequences[(((r * each) + b) * width)..(((r * each) + b + 1) * width)][1..];
                Assert.Equal(expected[..beams[b].Ids.Count], beams[b].Ids.Select(i => (long)i));
                Assert.Equal(scores[(r * each) + b], beams[b].Score, 1e-4);
            }
        }
    }

    private static Tensor Row(Golden golden, string name, int row)
    {
        long[] shape = [1, .. golden.Shape(name)[1..]];
        int count = (int)shape.Aggregate((a, b) => a * b);
        return name == "beam.pixel_values" ? Tensor.From(golden.Floats(name)[(row * count)..((row + 1) * count)], shape) : Tensor.From(golden.Longs(name)[(row * count)..((row + 1) * count)], shape);
    }
}
