using Banyan.Ops;

namespace Banyan.Tensors.Tests;

/// <summary>A sequence's result is one function of the sequence: whoever its neighbours are, with a cache or without.</summary>
public class AttentionSequenceTests
{
    private const int Heads = 4, KvHeads = 2, Dim = 20;

    public static TheoryData<string> Options() => ["causal", "window", "biases"];

    private static AttentionOptions Make(string name, SequenceLayout layout) => name switch
    {
        "causal" => new() { Causal = true, Layout = layout },
        "window" => new() { Window = 37, Layout = layout },
        _ => new() { Causal = true, SoftCap = 3, AlibiSlopes = Random([Heads], 4).Detach(), RelativeBias = Random([Heads, 21], 5), Sinks = Random([Heads], 6), Layout = layout },
    };

    private static Tensor Random(in Shape shape, int seed) => FiniteDifferences.Random(shape, seed).To(DType.Float32);

    private static void AssertSame(Tensor expected, Tensor actual) =>
        Assert.Equal(expected.ToArray<float>().Select(BitConverter.SingleToUInt32Bits), actual.ToArray<float>().Select(BitConverter.SingleToUInt32Bits));

    [Theory]
    [MemberData(nameof(Options))]
    public void StepsWithACacheGiveTheBitsOfOnePass(string name)
    {
        const int length = 250;
        Tensor q = Random([length, Heads, Dim], 1), k = Random([length, KvHeads, Dim], 2), v = Random([length, KvHeads, Dim], 3);
        Tensor whole = Attention.Apply(q, k, v, Make(name, SequenceLayout.Packed(length)));
        Tensor keys = Tensor.Zeros([300, KvHeads, Dim]), values = Tensor.Zeros([300, KvHeads, Dim]);
        int at = 0;
        foreach (int step in (int[])[100, 1, 1, 29, 1, 117, 1])
        {
            keys.Slice(0, at, step).CopyFrom(k.Slice(0, at, step));
            values.Slice(0, at, step).CopyFrom(v.Slice(0, at, step));
            var layout = new SequenceLayout();
            layout.Add(new SequenceSpan(0, step, 0, at + step, at) { Keys = keys, Values = values });
            Tensor o = Attention.Apply(q.Slice(0, at, step), k.Slice(0, at, step), v.Slice(0, at, step), Make(name, layout));
            AssertSame(whole.Slice(0, at, step), o);
            at += step;
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void NeighboursDoNotShowInTheBits(string name)
    {
        int[] lengths = [61, 1, 130, 7];
        Tensor q = Random([lengths.Sum(), Heads, Dim], 1), k = Random([lengths.Sum(), KvHeads, Dim], 2), v = Random([lengths.Sum(), KvHeads, Dim], 3);
        (Tensor together, Tensor[] grads) = Run(q, k, v, Make(name, SequenceLayout.Packed(lengths)));
        int start = 0;
        foreach (int length in lengths)
        {
            (Tensor alone, Tensor[] own) = Run(q.Slice(0, start, length), k.Slice(0, start, length), v.Slice(0, start, length), Make(name, SequenceLayout.Packed(length)));
            AssertSame(together.Slice(0, start, length), alone);
            for (int i = 0; i < 3; i++)
            {
                AssertSame(grads[i].Slice(0, start, length), own[i]);
            }
            start += length;
        }
    }

    private static (Tensor Y, Tensor[] Gradients) Run(Tensor q, Tensor k, Tensor v, AttentionOptions options)
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor[] inputs = [.. ((Tensor[])[q, k, v]).Select(x => x.Clone(scope))];
        foreach (Tensor x in inputs)
        {
            x.RequiresGrad = true;
        }
        Tensor y = Attention.Apply(inputs[0], inputs[1], inputs[2], options);
        Tensor?[] gradients = scope.Tape!.Gradients(y, inputs, y);
        return (y.Clone(null), [.. gradients.Select(g => g!.Clone(null))]);
    }

    [Fact]
    public void StridedViewsAreRead()
    {
        Tensor qkv = Random([70, 3, Heads, Dim], 1);
        Tensor q = qkv.Select(1, 0), k = qkv.Select(1, 1), v = qkv.Select(1, 2);
        AssertSame(Attention.Apply(q.Clone(), k.Clone(), v.Clone()), Attention.Apply(q, k, v));
        Tensor transposed = q.Transpose(0, 1).Contiguous().Transpose(0, 1);
        AssertSame(Attention.Apply(q.Clone(), k.Clone(), v.Clone()), Attention.Apply(transposed, k, v));
    }

    [Fact]
    public void HalfTypesComputeInFloat32()
    {
        Tensor q = Random([9, Heads, Dim], 1).To(DType.BFloat16), k = Random([9, KvHeads, Dim], 2).To(DType.BFloat16);
        Tensor y = Attention.Apply(q, k, k, new AttentionOptions { Causal = true });
        Tensor wide = Attention.Apply(q.To(DType.Float32), k.To(DType.Float32), k.To(DType.Float32), new AttentionOptions { Causal = true });
        Assert.Equal(wide.To(DType.BFloat16).ToDoubles(), y.ToDoubles());
    }

    [Fact]
    public void TokensOfNoSequenceAndQueriesWithoutKeysGetZeros()
    {
        var layout = new SequenceLayout();
        layout.Add(new SequenceSpan(1, 2, 0, 2, 0));
        layout.Add(new SequenceSpan(3, 1, 2, 0, 0));
        Tensor x = Random([5, 1, 4], 1);
        double[] y = Attention.Apply(x, x, x, new AttentionOptions { Layout = layout }).ToDoubles();
        Assert.All(y[..4], a => Assert.Equal(0, a));
        Assert.All(y[12..], a => Assert.Equal(0, a));
        Assert.All(y[4..12], a => Assert.NotEqual(0, a));
    }

    [Fact]
    public void AStepOfInferenceAllocatesNothing()
    {
        using var scope = new Scope(new() { RecycleHandles = true });
        Tensor keys = Random([300, KvHeads, Dim], 2), query = Random([1, Heads, Dim], 1), key = Random([1, KvHeads, Dim], 1);
        var layout = new SequenceLayout();
        var options = new AttentionOptions { Causal = true, Layout = layout };
        long before = 0;
        for (int step = 0; step < 40; step++)
        {
            before = step == 20 ? GC.GetAllocatedBytesForCurrentThread() : before;
            layout.Clear();
            layout.Add(new SequenceSpan(0, 1, 0, 200 + step, 199 + step) { Keys = keys, Values = keys });
            Attention.Apply(scope.Use(query), scope.Use(key), scope.Use(key), options);
            scope.Reset();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void ErrorsSayWhatDoesNotFit()
    {
        Tensor x = Random([6, 4, 8], 1);
        string Message(Tensor q, Tensor k, AttentionOptions? o = null) => Assert.Throws<ArgumentException>(() => Attention.Apply(q, k, k, o)).Message;
        Assert.Contains("multiple", Message(x, x.Slice(1, 0, 3)));
        Assert.Contains("last dimension", Message(x, x.Slice(2, 0, 4)));
        Assert.Contains("tokens", Message(x.Select(1, 0), x));
        Assert.Contains("type", Message(x, x.To(DType.Float64)));
        Assert.Contains("RelativeBias", Message(x, x, new() { RelativeBias = Random([4, 6], 1) }));
        Assert.Contains("Sinks", Message(x, x, new() { Sinks = Random([3], 1) }));
        Assert.Contains("Bias", Message(x, x, new() { Bias = Random([5, 6], 1) }));
        Assert.Contains("Mask", Message(x, x, new() { Mask = Random([6, 6], 1) }));
        Assert.Contains("sequence 1", Message(x, x, new() { Layout = SequenceLayout.Packed(4, 3) }));
        Assert.Contains("Dropout", Message(x, x, new() { Dropout = 1 }));
        Assert.Contains("contradicts", Message(x, x, new() { Causal = true, Right = 2 }));
    }
}
