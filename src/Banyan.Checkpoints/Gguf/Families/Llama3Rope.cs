using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Llama 3's stretching of the rotary angles: GGUF stores the divisor of each frequency, <c>config.json</c> the formula's parameters.</summary>
internal static class Llama3Rope
{
    private const string Name = "rope_freqs.weight";

    /// <summary>The divisors for a configuration of that kind; none for others.</summary>
    public static IEnumerable<(string Name, float[] Values)> Factors(ConfigReader c) => DecoderKeys.Scaling(c) is { } s && DecoderKeys.TypeOf(s) == "llama3"
        ? [(Name, Compute(DecoderKeys.Theta(c), DecoderKeys.HeadDim(c), s.GetDouble("factor", 8), s.GetDouble("low_freq_factor", 1), s.GetDouble("high_freq_factor", 4), s.GetDouble("original_max_position_embeddings", 8192)))]
        : [];

    /// <summary>
    /// Finds the parameters whose divisors a file has: the factor is the largest one, the borders are those of all published models, the original length is a power of two. Divisors
    /// of another kind are kept as a list, which says the same.
    /// </summary>
    public static void Recognize(JsonObject json, GgufFile f)
    {
        if (!f.TryGet(Name, out _))
        {
            return;
        }
        float[] divisors = f.LoadTensor(Name, DType.Float32).ToArray<float>();
        double theta = json["rope_theta"]?.GetValue<double>() ?? 10000;
        for (double original = 1 << 20; original >= 16; original /= 2)
        {
            if (Compute(theta, 2 * divisors.Length, divisors.Max(), 1, 4, original).AsSpan().SequenceEqual(divisors))
            {
                json["rope_scaling"] = new JsonObject
                {
                    ["rope_type"] = "llama3", ["factor"] = (double)divisors.Max(), ["low_freq_factor"] = 1.0, ["high_freq_factor"] = 4.0, ["original_max_position_embeddings"] = (long)original,
                };
                return;
            }
        }
        JsonArray List() => [.. divisors.Select(d => (JsonNode)GgufKey.Shortest(d))];
        json["rope_scaling"] = new JsonObject
        {
            ["rope_type"] = "longrope", ["short_factor"] = List(), ["long_factor"] = List(), ["attention_factor"] = 1.0, ["original_max_position_embeddings"] = json["max_position_embeddings"]?.GetValue<long>(),
        };
    }

    // A wave that turns often over the original length stays, one that does not turn once is stretched by the whole factor; between the borders the frequency is interpolated.
    private static float[] Compute(double theta, int headDim, double factor, double low, double high, double original)
    {
        var divisors = new float[headDim / 2];
        for (int i = 0; i < divisors.Length; i++)
        {
            // In float32 and with reciprocals, as PyTorch computes them: files are compared by their bits.
            float frequency = 1 / MathF.Pow((float)theta, 2f * i / headDim), wave = 1 / frequency * (float)(2 * Math.PI);
            float smooth = (1 / wave * (float)original - (float)low) / (float)(high - low);
            divisors[i] = wave < original / high ? 1 : wave > original / low ? (float)factor : 1 / ((1 - smooth) / (float)factor + smooth);
        }
        return divisors;
    }
}
