using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Phi-3's LongRoPE: two lists of divisors, which GGUF stores as tensors.</summary>
internal static class LongRope
{
    private const string Long = "rope_factors_long.weight", Short = "rope_factors_short.weight";

    /// <summary>What cos and sin are multiplied by.</summary>
    public static GgufKey AttentionFactor { get; } = GgufKey.Derived("rope.scaling.attn_factor", c => Is(c) && c.GetDouble("max_position_embeddings") / Original(c) is var scale and > 1
        ? GgufValue.Of((float)Math.Sqrt(1 + Math.Log(scale) / Math.Log(Original(c))))
        : null);

    /// <summary>The length before stretching.</summary>
    public static GgufKey OriginalLength { get; } = new("rope.scaling.original_context_length", c => GgufValue.Of((uint)Original(c)), (json, m, key) => json["original_max_position_embeddings"] = m.GetLong(key));

    /// <summary>The two lists of a configuration of this kind.</summary>
    public static IEnumerable<(string Name, float[] Values)> Factors(ConfigReader c) => Is(c)
        ? [(Long, [.. DecoderKeys.Scaling(c)!.GetDoubles("long_factor").Select(x => (float)x)]), (Short, [.. DecoderKeys.Scaling(c)!.GetDoubles("short_factor").Select(x => (float)x)])]
        : [];

    /// <summary>Reads the two lists of a file that has them.</summary>
    public static void Recognize(JsonObject json, GgufFile f)
    {
        if (f.TryGet(Long, out _) && f.TryGet(Short, out _))
        {
            JsonArray List(string name) => [.. f.LoadTensor(name, DType.Float32).ToArray<float>().Select(d => (JsonNode)GgufKey.Shortest(d))];
            json["rope_scaling"] = new JsonObject { ["type"] = "longrope", ["long_factor"] = List(Long), ["short_factor"] = List(Short) };
        }
    }

    private static bool Is(ConfigReader c) => DecoderKeys.Scaling(c) is { } s && DecoderKeys.TypeOf(s) is "longrope" or "su";

    private static double Original(ConfigReader c) => c.GetDouble("original_max_position_embeddings", c.GetDouble("max_position_embeddings"));
}
