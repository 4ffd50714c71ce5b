using System.Globalization;

namespace Banyan.Tokenizers.Text;

/// <summary>
/// Decompositions, compositions and combining classes of Unicode. The runtime's own normalization is absent under
/// invariant globalization and does not tell which character came from where, so the tables are read from a resource.
/// </summary>
internal sealed class NormalizationData
{
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<long, int> _compose = [];
    private readonly Dictionary<int, byte> _classes = [];

    private NormalizationData()
    {
        using Stream stream = typeof(NormalizationData).Assembly.GetManifestResourceStream("normalization.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            Read(line.Split(' '));
        }
        Expand(_canonical, _canonical);
        Expand(_compatible, _canonical);
    }

    public static NormalizationData Shared => Holder.Value;

    public int ClassOf(int rune) => rune < 0x300 ? 0 : _classes.GetValueOrDefault(rune);

    /// <summary>The full decomposition, or null where the code point stands for itself. Hangul is left to the caller.</summary>
    public int[]? Decompose(int rune, bool compatible)
    {
        if (compatible && _compatible.TryGetValue(rune, out int[]? parts))
        {
            return parts;
        }
        return _canonical.GetValueOrDefault(rune);
    }

    /// <summary>The primary composite of two code points, or -1.</summary>
    public int Compose(int first, int second)
    {
        // Hangul is arithmetic: L + V, then LV + T (Unicode Standard 3.12).
        if (first is >= 0x1100 and < 0x1113 && second is >= 0x1161 and < 0x1176)
        {
            return 0xAC00 + (((first - 0x1100) * 21) + second - 0x1161) * 28;
        }
        if (first is >= 0xAC00 and < 0xD7A4 && (first - 0xAC00) % 28 == 0 && second is > 0x11A7 and < 0x11C3)
        {
            return first + second - 0x11A7;
        }
        return _compose.GetValueOrDefault(((long)first << 32) | (uint)second, -1);
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private void Read(string[] fields)
    {
        switch (fields[0])
        {
            case "C":
                string[] range = fields[1].Split('-');
                for (int rune = Hex(range[0]); rune <= Hex(range[1]); rune++)
                {
                    _classes[rune] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                }
                break;
            case "D" or "X" or "K":
                int[] parts = [.. fields.Skip(2).Select(Hex)];
                (fields[0] == "K" ? _compatible : _canonical)[Hex(fields[1])] = parts;
                if (fields[0] == "D")
                {
                    _compose[((long)parts[0] << 32) | (uint)parts[1]] = Hex(fields[1]);
                }
                break;
        }
    }

    /// <summary>Replaces one-step decompositions by full ones; parts are looked up in both tables for compatibility.</summary>
    private void Expand(Dictionary<int, int[]> table, Dictionary<int, int[]> other)
    {
        bool compatible = !ReferenceEquals(table, other);
        if (compatible)
        {
            // A canonical decomposition may hold parts that have a compatibility decomposition (U+1F71 etc. do not, U+0385 does).
            foreach ((int rune, int[] parts) in other)
            {
                if (parts.Any(_compatible.ContainsKey))
                {
                    table.TryAdd(rune, parts);
                }
            }
        }
        foreach (int rune in table.Keys.ToArray())
        {
            List<int> full = [];
            AppendFull(rune, compatible, full);
            table[rune] = [.. full];
        }
    }

    private void AppendFull(int rune, bool compatible, List<int> output)
    {
        int[]? parts = Decompose(rune, compatible);
        if (parts is null || (parts.Length == 1 && parts[0] == rune))
        {
            output.Add(rune);
            return;
        }
        foreach (int part in parts)
        {
            if (part == rune)
            {
                output.Add(part);
                continue;
            }
            AppendFull(part, compatible, output);
        }
    }

    private static class Holder
    {
        public static readonly NormalizationData Value = new();
    }
}
