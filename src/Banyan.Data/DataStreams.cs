namespace Banyan.Data;

/// <summary>The streams of <see cref="CounterRandom"/> that loading draws from: each use its own, so that they stay independent.</summary>
internal static class DataStreams
{
    public const uint DocumentSplit = 0x4441_0001;
    public const uint RandomBlocks = 0x4441_0002;
    public const uint BlockShift = 0x4441_0003;
    public const uint BlockOrder = 0x4441_0004;
    public const uint DocumentOrder = 0x4441_0005;
    public const uint PackOrder = 0x4441_0006;
    public const uint Masking = 0x4441_0007;
}
