using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>Relations between the values of a configuration.</summary>
internal static class ConfigChecks
{
    /// <summary>Throws unless <paramref name="value"/> is a multiple of <paramref name="divisor"/>.</summary>
    public static void Divides(ConfigReader config, string key, int value, string divisorKey, int divisor)
    {
        if (value % divisor != 0)
        {
            throw new CheckpointException(config.Source, $"\"{key}\" is {value}; expected a multiple of {divisorKey} = {divisor}");
        }
    }

    /// <summary>Sizes or counts from 1 to 65536; absent: <paramref name="defaults"/>.</summary>
    public static int[] Sizes(ConfigReader config, string key, int[] defaults)
    {
        if (!config.Has(key))
        {
            return defaults;
        }
        long[] values = config.GetLongs(key);
        return values.Length > 0 && values.All(v => v is >= 1 and <= 1 << 16) ? Array.ConvertAll(values, v => (int)v)
            : throw new CheckpointException(config.Source, $"\"{key}\" is [{string.Join(", ", values)}]; expected numbers from 1 to 65536");
    }

    /// <summary>Throws where the file gives a switch another value than the only one that is supported.</summary>
    public static void Only(ConfigReader config, string key, bool expected, string reason)
    {
        if (config.GetBool(key, expected) != expected)
        {
            throw new CheckpointException(config.Source, $"\"{key}\" is {(expected ? "false" : "true")}; expected {(expected ? "true" : "false")}: {reason}");
        }
    }

    /// <summary>The padding id, whose embedding gets no gradient, or null where the file says null; absent: <paramref name="defaultValue"/>.</summary>
    public static int? PadTokenId(ConfigReader config, int? defaultValue) =>
        config.Has("pad_token_id") ? config.GetInt("pad_token_id", min: 0) : config.Keys.Contains("pad_token_id") ? null : defaultValue;
}
