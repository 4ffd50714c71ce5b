using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Dropout of attention weights. Whether the weight of (sequence, head, query position, key position) stays is a function of these and the
/// seed: a counter goes through the finalizer of SplitMix64 (Steele, Lea and Flood, 2014), so no mask is stored and the backward pass,
/// another tiling or another batch see the same one.
/// </summary>
internal readonly struct AttentionDropout
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private readonly ulong _stream;
    private readonly uint _threshold;   // drop where the random word is below

    public AttentionDropout(ulong seed, ulong sequence, int head, long queryPosition, double probability)
    {
        _stream = Mix(Mix(Mix(seed + Golden * (sequence + 1)) + Golden * ((ulong)head + 1)) + Golden * ((ulong)queryPosition + 1));
        _threshold = (uint)Math.Min(probability * 4294967296.0, uint.MaxValue);
        Growth = (float)(1 / (1 - probability));
    }

    /// <summary>What the weights that stay are multiplied by.</summary>
    public float Growth { get; }

    public static AttentionDropout Of(in AttentionProblem problem, long row) => Of(problem, problem.Query(row), problem.Head(row));

    private static unsafe AttentionDropout Of(in AttentionProblem problem, long query, int head) =>
        new(problem.Args->Seed, problem.Segment->Sequence, head, query + problem.Segment->Offset, problem.Args->Dropout);

    /// <summary>True when the weight on this key stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Keeps(long key) => (uint)(Mix(_stream + Golden * (ulong)key) >> 32) >= _threshold;

    /// <summary>Drops from, or grows, the columns <c>[begin, end)</c> of a row of the block at <paramref name="keyStart"/>.</summary>
    public unsafe void Apply(float* row, long keyStart, int begin, int end)
    {
        for (int j = begin; j < end; j++)
        {
            row[j] = Keeps(keyStart + j) ? row[j] * Growth : 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
