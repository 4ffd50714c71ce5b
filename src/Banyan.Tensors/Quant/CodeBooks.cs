using System.Globalization;

namespace Banyan.Quant;

/// <summary>The code books of the IQ formats: lists of 4 or 8 small numbers that occur together, from a resource.</summary>
internal static class CodeBooks
{
    private static readonly Lazy<Dictionary<string, sbyte[]>> s_books = new(Read);

    public static sbyte[] Get(string name) => s_books.Value[name];

    /// <summary>The signs of eight numbers from seven bits: the eighth makes the number of minus signs even.</summary>
    public static int Signs(int seven) => seven | (System.Numerics.BitOperations.PopCount((uint)seven) & 1) << 7;

    private static Dictionary<string, sbyte[]> Read()
    {
        using var reader = new StreamReader(typeof(CodeBooks).Assembly.GetManifestResourceStream("grids.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(line => line.Split(' ')).ToDictionary(f => f[0], f =>
        {
            sbyte[] values = [.. f[1].Split(',').Select(v => sbyte.Parse(v, CultureInfo.InvariantCulture))];
            return f[2..].SelectMany(entry => entry).Select(digit => values[digit - '0']).ToArray();
        });
    }
}
