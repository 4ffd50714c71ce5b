using System.Globalization;

namespace Banyan.Tokenizers.Text;

/// <summary>The Unicode script of each code point, from a resource of ranges.</summary>
internal static class Scripts
{
    public const string Unknown = "Unknown";

    private static readonly Lazy<List<(int First, int Last, string Script)>> s_ranges = new(Read);

    /// <summary>The names that occur.</summary>
    public static IEnumerable<string> Names => s_ranges.Value.Select(r => r.Script).Distinct();

    public static string Of(int rune)
    {
        List<(int First, int Last, string Script)> ranges = s_ranges.Value;
        int low = 0, high = ranges.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (rune < ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (rune > ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return ranges[middle].Script;
            }
        }
        return Unknown;
    }

    private static List<(int First, int Last, string Script)> Read()
    {
        using Stream stream = typeof(Scripts).Assembly.GetManifestResourceStream("scripts.txt")!;
        using StreamReader reader = new(stream);
        List<(int, int, string)> ranges = [];
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            string[] fields = line.Split(' ');
            string[] range = fields[0].Split('-');
            ranges.Add((Hex(range[0]), Hex(range[^1]), fields[1]));
        }
        ranges.Sort();
        return ranges;
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
