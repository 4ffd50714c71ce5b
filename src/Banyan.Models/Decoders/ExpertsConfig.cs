using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>What most mixtures' <c>config.json</c> says about their experts.</summary>
/// <param name="Count">E, the experts of a layer.</param>
/// <param name="PerToken">K, the experts that a token uses.</param>
/// <param name="Inner">Width within an expert.</param>
/// <param name="Normalise">Whether a token's weights are divided by their sum.</param>
public sealed record ExpertsConfig(int Count, int PerToken, int Inner, bool Normalise)
{
    /// <summary>Reads <c>num_local_experts</c> (or <c>num_experts</c>), <c>num_experts_per_tok</c>, <c>norm_topk_prob</c> and the width.</summary>
    /// <param name="c">The file.</param>
    /// <param name="defaults">What the architecture takes for keys that are not there.</param>
    /// <param name="inner">Key of the width. Default: <c>intermediate_size</c>.</param>
    /// <exception cref="CheckpointException">A value is impossible.</exception>
    public static ExpertsConfig Read(ConfigReader c, ExpertsConfig defaults, string inner = "intermediate_size")
    {
        int count = c.GetInt(c.Has("num_local_experts") ? "num_local_experts" : "num_experts", defaults.Count, min: 1, max: 1 << 14);
        return new(count, c.GetInt("num_experts_per_tok", Math.Min(defaults.PerToken, count), min: 1, max: count), c.GetInt(inner, defaults.Inner, min: 1, max: 1 << 24), c.GetBool("norm_topk_prob", defaults.Normalise));
    }

    /// <summary>Refuses noise on a router's input, which only some versions of the reference have.</summary>
    internal static void RefuseJitter(ConfigReader c, string key)
    {
        if (c.GetDouble(key, 0) != 0)
        {
            throw new CheckpointException(c.Source, $"\"{key}\" is {c.GetDouble(key)}; expected 0: noise on the router's input is not supported");
        }
    }
}
