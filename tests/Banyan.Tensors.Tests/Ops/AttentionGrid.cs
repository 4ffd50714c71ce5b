using Banyan.Ops;

namespace Banyan.Tensors.Tests;

/// <summary>One combination of attention's features on a small ragged batch, in any type: what the tests of attention run over.</summary>
public sealed record AttentionGrid(string Name, int Heads = 4, int KvHeads = 2, int Dim = 16, int ValueDim = 16)
{
    private static readonly int[] s_lengths = [130, 1, 97, 40];

    public bool Causal { get; init; }

    public int? Window { get; init; }

    public double SoftCap { get; init; }

    public double Dropout { get; init; }

    public bool KeyMask { get; init; }

    public bool Alibi { get; init; }

    public bool Relative { get; init; }

    public bool Sinks { get; init; }

    /// <summary>Shape of an additive bias over (4, H, 130, 130), 1 = broadcast.</summary>
    public long[]? Bias { get; init; }

    public long[]? Mask { get; init; }

    /// <summary>Every feature alone, and many together.</summary>
    public static IReadOnlyList<AttentionGrid> All { get; } =
    [
        new("plain"),
        new("causal") { Causal = true },
        new("multi-query, odd sizes", Heads: 3, KvHeads: 1, Dim: 20, ValueDim: 13) { Causal = true },
        new("one head each", Heads: 2, KvHeads: 2, Dim: 64, ValueDim: 32),
        new("window", Dim: 8) { Window = 33 },
        new("soft-cap") { Causal = true, SoftCap = 1.5 },
        new("dropout") { Causal = true, Dropout = 0.3 },
        new("key mask") { Causal = true, KeyMask = true },
        new("alibi") { Causal = true, Alibi = true },
        new("relative bias") { Relative = true },
        new("sinks") { Causal = true, Sinks = true },
        new("bias of all") { Bias = [4, 4, 130, 130] },
        new("bias of heads and keys") { Bias = [4, 1, 130] },
        new("bias of queries") { Bias = [130, 1] },
        new("bias of sequences") { Bias = [4, 1, 130, 130] },
        new("mask") { Mask = [1, 1, 130, 130] },
        new("everything") { Window = 50, SoftCap = 2, Dropout = 0.1, KeyMask = true, Alibi = true, Relative = true, Sinks = true, Bias = [4, 130, 130], Mask = [4, 1, 130, 130] },
    ];

    public override string ToString() => Name;

    /// <summary>q, k, v, then the parameters that get gradients.</summary>
    public Tensor[] Inputs()
    {
        long tokens = s_lengths.Sum();
        List<Tensor> inputs = [Random([tokens, Heads, Dim], 1), Random([tokens, KvHeads, Dim], 2), Random([tokens, KvHeads, ValueDim], 3)];
        if (Relative)
        {
            inputs.Add(Random([Heads, 41], 4));
        }
        if (Bias is not null)
        {
            inputs.Add(Random(new Shape(Bias), 5));
        }
        if (Sinks)
        {
            inputs.Add(Random([Heads], 6));
        }
        return [.. inputs];
    }

    /// <summary>The result on inputs of any float type.</summary>
    public Tensor Run(params Tensor[] x)
    {
        int next = 3;
        return Attention.Apply(x[0], x[1], x[2], new AttentionOptions
        {
            Layout = Layout(), Causal = Causal, Window = Window, SoftCap = SoftCap, Dropout = Dropout, Seed = 7,
            AlibiSlopes = Alibi ? Tensor.From([.. Enumerable.Range(1, Heads).Select(h => 0.5f / h)]).To(x[0].DType) : null,
            RelativeBias = Relative ? x[next++] : null, Bias = Bias is null ? null : x[next++], Sinks = Sinks ? x[next] : null,
            Mask = Mask is null ? null : Random(new Shape(Mask), 8) > -1,
        });
    }

    private SequenceLayout Layout()
    {
        var layout = new SequenceLayout { KeyMask = KeyMask ? [.. Enumerable.Range(0, s_lengths.Sum()).Select(i => i % 7 != 3 && i > 2)] : null };
        long start = 0;
        foreach (int length in s_lengths)
        {
            layout.Add(new SequenceSpan(start, length, start, length, 0) { KeyMaskStart = KeyMask ? start : -1 });
            start += length;
        }
        return layout;
    }

    private static Tensor Random(in Shape shape, int seed) => FiniteDifferences.Random(shape, seed).To(DType.Float32);
}
