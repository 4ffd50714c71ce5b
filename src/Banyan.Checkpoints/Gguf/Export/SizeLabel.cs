using System.Globalization;

namespace Banyan.Checkpoints.Gguf;

/// <summary>The size of a model in two digits: 37K, 7.2B, and 8x7B for a mixture of 8 experts.</summary>
internal static class SizeLabel
{
    private static readonly (double Unit, string Name)[] s_units = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")];

    /// <summary>The label of tensors; matrices of experts are told by their name, and one expert counts.</summary>
    public static string Of(IReadOnlyList<(string Name, long[] Shape)> tensors)
    {
        long shared = 0, perExpert = 0, experts = 0, expertTensors = 0;
        foreach ((string name, long[] shape) in tensors)
        {
            long size = shape.Aggregate(1L, (a, b) => a * b);
            if (!name.EndsWith("_exps.weight", StringComparison.Ordinal))
            {
                shared += size;
                continue;
            }
            long count = shape[^3];
            experts += count;
            perExpert += size / count;
            expertTensors++;
        }
        return expertTensors > 0 ? $"{experts / expertTensors}x{Rounded(shared + perExpert)}" : Rounded(shared);
    }

    /// <summary>A count in at least two digits.</summary>
    public static string Rounded(long count)
    {
        (double unit, string name) = s_units.FirstOrDefault(u => count > u.Unit, s_units[^1]);
        double scaled = count / unit;
        int digits = Math.Round(scaled).ToString(CultureInfo.InvariantCulture).TrimStart('0').Length;
        return scaled.ToString("F" + Math.Max(2 - digits, 0), CultureInfo.InvariantCulture) + name;
    }
}
