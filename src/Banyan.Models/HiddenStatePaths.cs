namespace Banyan.Models;

/// <summary>The usual places of hidden states.</summary>
internal static class HiddenStatePaths
{
    /// <summary>Embedding, every layer but the last, and the final norm in the last one's place, as transformers lists a decoder's.</summary>
    public static IEnumerable<(string Name, string Path)> Decoder(string embedding, string layers, int count, string norm, string name = "hidden")
    {
        yield return ($"{name}.0", count == 0 ? norm : embedding);
        for (int i = 1; i <= count; i++)
        {
            yield return ($"{name}.{i}", i == count ? norm : $"{layers}.{i - 1}");
        }
    }

    /// <summary>Embedding and every layer.</summary>
    public static IEnumerable<(string Name, string Path)> Encoder(string embedding, string layers, int count, string name = "hidden")
    {
        yield return ($"{name}.0", embedding);
        for (int i = 1; i <= count; i++)
        {
            yield return ($"{name}.{i}", $"{layers}.{i - 1}");
        }
    }
}
