using Banyan.Ops;

namespace Banyan.Tensors.Tests;

/// <summary>Nothing of size queries x keys is ever held: at 16384 tokens one such matrix would take 1 GiB for each head.</summary>
public class AttentionMemoryTests
{
    private const int Tokens = 16384, Heads = 2;

    public static TheoryData<string> Features() => ["plain", "soft-cap", "alibi", "relative", "sinks", "dropout", "key mask", "bias of keys", "bias of queries", "mask"];

    // A window keeps the work small; the tiles are those of full attention.
    private static AttentionOptions Options(string feature, Scope scope)
    {
        var options = new AttentionOptions { Window = 100, Layout = SequenceLayout.Packed(Tokens) };
        switch (feature)
        {
            case "soft-cap": options.SoftCap = 5; break;
            case "alibi": options.AlibiSlopes = scope.Zeros([Heads]); break;
            case "relative": options.RelativeBias = Leaf(scope, Heads, 65); break;
            case "sinks": options.Sinks = Leaf(scope, Heads); break;
            case "dropout": options.Dropout = 0.1; break;
            case "key mask": options.Layout = SequenceLayout.Batch(1, Tokens, [.. Enumerable.Range(0, Tokens).Select(i => i % 5 != 0)]); break;
            case "bias of keys": options.Bias = Leaf(scope, Heads, 1, Tokens); break;
            case "bias of queries": options.Bias = Leaf(scope, Heads, Tokens, 1); break;
            case "mask": options.Mask = scope.Zeros([1, Tokens]).Eq(0); break;
        }
        return options;
    }

    private static Tensor Leaf(Scope scope, params long[] shape)
    {
        Tensor t = scope.Zeros(shape);
        t.RequiresGrad = true;
        return t;
    }

    [Theory]
    [MemberData(nameof(Features))]
    public void IsLinearInTheLength(string feature)
    {
        using var pool = new ComputePool(2);
        using var scope = new Scope(new() { RecordGradients = true, Pool = pool });
        Tensor q = Leaf(scope, Tokens, Heads, 8), k = Leaf(scope, Tokens, 1, 8), v = Leaf(scope, Tokens, 1, 8);
        Attention.Apply(q, k, v, Options(feature, scope)).Sum().Backward();
        long bytes = scope.Memory.PeakBytes + pool.AttentionWorkspaces.Take().Bytes;
        Assert.InRange(bytes, 1, 16L << 20);
    }
}
