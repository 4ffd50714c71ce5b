using System.Text;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>
/// A longer context, asked for when a model is loaded: the rotary angles are stretched as if its <c>config.json</c> said so. Linear (Chen et al. 2023, arXiv:2306.15595) divides positions;
/// <c>ntk</c> enlarges the base once, <c>dynamic</c> with the length of the text; YaRN (Peng et al. 2023, arXiv:2309.00071) divides slow angles only. Quality beyond the trained length is the model's.
/// </summary>
/// <param name="Type">none, linear, dynamic, ntk or yarn.</param>
/// <param name="Factor">How many times as long the context becomes; at least 1.</param>
/// <param name="Original">The context of the training; null: what the configuration says.</param>
public sealed record RopeScaling(string Type, double Factor, int? Original = null)
{
    /// <summary>The ways there are.</summary>
    public static IReadOnlyList<string> Types { get; } = ["none", "linear", "dynamic", "ntk", "yarn"];

    /// <summary>The configuration with this scaling in the place of its own.</summary>
    /// <exception cref="CheckpointException">The configuration says nothing of its context, or its layers turn differently.</exception>
    /// <exception cref="ArgumentException">Type or factor are impossible.</exception>
    public ConfigReader Apply(ConfigReader config)
    {
        if (!Types.Contains(Type) || !(Factor >= 1) || double.IsInfinity(Factor))
        {
            throw new ArgumentException($"rope scaling {Type} by {Factor}; expected one of {string.Join(", ", Types)} and a factor of at least 1");
        }
        if (!config.Has("max_position_embeddings"))
        {
            throw new CheckpointException(config.Source, "has no max_position_embeddings: its kind has no rotary embedding that could be stretched");
        }
        JsonObject json = JsonNode.Parse(config.Json)!.AsObject();
        int trained = Original ?? config.GetOptionalObject("rope_scaling")?.GetInt("original_max_position_embeddings", config.GetInt("max_position_embeddings")) ?? config.GetInt("max_position_embeddings");
        JsonObject? parameters = json["rope_parameters"] as JsonObject;
        if (parameters?.Any(p => p.Value is JsonObject) == true)
        {
            throw new CheckpointException(config.Source, "its layers have rotary embeddings of their own (rope_parameters by type of layer): set them in config.json");
        }
        double theta = parameters?["rope_theta"]?.GetValue<double>() ?? config.GetDouble("rope_theta", 10000);
        json.Remove("rope_parameters");
        json.Remove("rope_scaling");
        (json["rope_theta"], json["max_position_embeddings"]) = (theta, Type == "none" ? trained : (int)Math.Min(trained * Factor, int.MaxValue));
        if (Type == "ntk")
        {
            int dim = config.GetInt("head_dim", config.GetInt("hidden_size") / config.GetInt("num_attention_heads"));
            json["rope_theta"] = theta * Math.Pow(Factor, dim / (dim - 2.0));
        }
        else if (Type != "none")
        {
            json["rope_scaling"] = new JsonObject { ["rope_type"] = Type, ["factor"] = Factor, ["original_max_position_embeddings"] = trained };
        }
        return ConfigReader.Parse(Encoding.UTF8.GetBytes(json.ToJsonString(new() { WriteIndented = true })), config.Source);
    }
}
