using System.Globalization;

namespace Banyan.Cli.Options;

/// <summary>Token ids as text: <c>1,2,3</c>, with or without brackets and spaces.</summary>
internal static class IdList
{
    public static int[] Parse(string text)
    {
        string[] parts = text.Trim('[', ']', ' ').Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.Length == 0 ? throw new UsageException($"'{text}' holds no ids; expected 1,2,3")
            : [.. parts.Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : throw new UsageException($"'{p}' is no token id; expected 1,2,3"))];
    }
}
