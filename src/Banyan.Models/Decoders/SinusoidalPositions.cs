namespace Banyan.Models;

/// <summary>
/// Sinusoids with all sines before all cosines, as fairseq's models and BART's successors take them: angle p / 10000^(i / (C / 2 - 1)).
/// </summary>
/// <param name="width">C, even.</param>
/// <param name="offset">Added to each position. Default: 0.</param>
/// <param name="steps">What divides i; null: C / 2 - 1.</param>
public sealed class SinusoidalPositions(int width, int offset = 0, double? steps = null)
{
    /// <summary>(tokens, C) of positions (tokens); zeros below position 0.</summary>
    public Tensor Of(Tensor positions)
    {
        long[] at = positions.ToArray<long>();
        int half = width / 2;
        double divisor = steps ?? half - 1;
        var table = new float[at.Length * width];
        for (int t = 0; t < at.Length; t++)
        {
            for (int i = 0; i < half && at[t] >= 0; i++)
            {
                (double sin, double cos) = Math.SinCos((at[t] + offset) * Math.Pow(10000, -i / divisor));
                (table[t * width + i], table[t * width + half + i]) = ((float)sin, (float)cos);
            }
        }
        return positions.Scope!.From(table, [at.Length, width]);
    }
}
