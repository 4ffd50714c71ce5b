namespace Banyan.Quant;

/// <summary>The block formats: one row each.</summary>
public static class BlockFormats
{
    /// <summary>Every format, in ggml's order.</summary>
    public static IReadOnlyList<BlockFormat> All { get; } =
    [
        new Q4_0(), new Q4_1(), new Q5_0(), new Q5_1(), new Q8_0(), new Q2K(), new Q3K(), new Q4K(), new Q5K(), new Q6K(), new Iq2Xxs(), new Iq2Xs(), new Iq3Xxs(), new Iq1S(), new Iq4Nl(), new Iq3S(), new Iq2S(),
        new Iq4Xs(), new Iq1M(), new Tq1_0(), new Tq2_0(), new Mxfp4(), new Nvfp4(),
    ];

    /// <summary>The format of this name (in any case), or null.</summary>
    public static BlockFormat? FromName(string name) => All.FirstOrDefault(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
