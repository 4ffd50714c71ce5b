using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Banyan.Cpu;
using Banyan.Ops;
using Banyan.Quant;

namespace Banyan.Tensors.Tests.InstructionSets;

/// <summary>Hashes of the bits that the kernels return for fixed inputs; lengths leave remainders at every vector width.</summary>
internal static class KernelDigests
{
    /// <summary>Lines "kernel: hash".</summary>
    public static IEnumerable<string> All() => Products().Concat(BlockProducts()).Concat(Attention()).Concat(Rows()).Concat(Functions());

    private static string Line(string name, params ReadOnlySpan<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Tensor t in tensors)
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(t.ToArray<float>()));
        }
        return $"{name}: {Convert.ToHexString(hash.GetHashAndReset()[..8])}";
    }

    private static Tensor Random(in Shape shape, int seed) => Tensor.From(Cpu.GemmProblem.Values(shape.Count, seed), shape);

    // K goes on past one block of depth.
    private static IEnumerable<string> Products()
    {
        using var pool = new ComputePool(2);
        foreach ((long m, long n, long k) in ((long, long, long)[])[(1, 50, 600), (7, 33, 600), (30, 65, 530)])
        {
            foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false)])
            {
                var problem = new Cpu.GemmProblem(m, n, k) { TransposeA = ta, TransposeB = tb, Accumulate = ta, Bias = true, Relu = tb };
                yield return Line($"product {m}x{n}x{k} {ta} {tb}", Tensor.From(problem.Actual(pool)));
                yield return Line($"bfloat16 product {m}x{n}x{k} {ta} {tb}", Tensor.From((problem with { InBf16 = true }).Actual(pool)));
            }
        }
    }

    // Formats that can be written: every form of codes and of scales is among them but levels.
    private static IEnumerable<string> BlockProducts()
    {
        foreach (BlockFormat format in BlockFormats.All.Where(f => f.CanQuantize))
        {
            Tensor w = Tensor.Zeros([37, 768], format.DType);
            w.CopyFrom(Random([37, 768], 1));
            foreach (int rows in new[] { 1, 7, 13 })
            {
                yield return Line($"{format} product of {rows}", Random([rows, 768], rows).Linear(w));
            }
        }
    }

    private static IEnumerable<string> Attention() =>
        AttentionGrid.All.Select(grid => Line($"attention {grid.Name}", AttentionTests.RunAll(grid, DType.Float32)));

    private static IEnumerable<string> Rows()
    {
        const int Tokens = 5, Width = 77;
        Tensor x = Random([Tokens, Width], 1), w = Random([Width], 2), b = Random([Width], 3), table = Random([9, Width], 4);
        Tensor ids = Tensor.From(3L, 1L, 3L, 8L, 0L), angles = Random([Tokens, 15], 5);
        yield return WithGradients("softmax", t => t[0].Softmax(-1), x);
        yield return WithGradients("log-softmax", t => t[0].LogSoftmax(-1), x);
        yield return WithGradients("layer norm", t => t[0].LayerNorm(t[1], t[2]), x, w, b);
        yield return WithGradients("rms norm", t => t[0].RmsNorm(t[1]), x, w);
        yield return WithGradients("embedding", t => t[0].Embedding(ids), table);
        yield return WithGradients("rotary", t => Rotary.Apply(t[0], angles.Cos(), angles.Sin()), Random([Tokens, 2, 38], 6));
        yield return WithGradients("rotary interleaved", t => Rotary.Apply(t[0], angles.Cos(), angles.Sin(), interleaved: true), Random([Tokens, 2, 38], 6));
        yield return WithGradients("linear cross-entropy", t => LinearCrossEntropy.Apply(t[0], t[1], ids, smoothing: 0.1), x, table);
        yield return WithGradients("cross-entropy", t => Loss.CrossEntropy(t[0], ids), x);
        yield return Line("sums", x.Sum(), x.Sum(0), x.Sum(1), x.Max(1).Values, Tensor.From((float)GradientSums.OfSquares(x)));
    }

    private static string WithGradients(string name, Func<Tensor[], Tensor> f, params Tensor[] inputs)
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor[] x = [.. inputs.Select(t => t.Clone(scope))];
        foreach (Tensor t in x)
        {
            t.RequiresGrad = true;
        }
        Tensor y = f(x), dy = scope.From(Cpu.GemmProblem.Values(y.Count, 9), y.Shape);
        Tensor?[] gradients = scope.Tape!.Gradients(y, x, dy);
        return Line(name, [y, .. gradients.Select(g => g!)]);
    }

    // From the smallest numbers to the largest, both signs.
    private static IEnumerable<string> Functions()
    {
        float[] some = [.. Enumerable.Range(-2000, 4001).Select(i => MathF.Sign(i) * MathF.ScaleB(1 + Math.Abs(i) % 97 / 97f, Math.Abs(i) / 15 - 90))];
        float[] near = [.. Enumerable.Range(-1000, 2001).Select(i => i * 0.0137f)];
        Tensor x = Tensor.From([.. some, .. near]), positive = x.Abs();
        yield return Line("exp", x.Clamp(-200, 80).Exp(), x.Clamp(-80, 80).Expm1());
        yield return Line("log", positive.Clamp(1e-38, null).Log(), positive.Log1p());
        yield return Line("tanh, sigmoid", x.Tanh(), x.Sigmoid());
        yield return Line("erf", x.Erf());
        yield return Line("sin, cos", Tensor.From(near).Sin(), Tensor.From(near).Cos());
        yield return Line("roots", positive.Sqrt(), positive.Clamp(1e-38, null).Rsqrt());
        Tensor a = x.Clamp(-1e18, 1e18);
        yield return WithGradients("gelu", t => t[0].Gelu(), a);
        yield return WithGradients("gelu tanh", t => t[0].Gelu(GeluForm.Tanh), a.Clamp(-1e9, 1e9));
        yield return WithGradients("silu", t => t[0].Silu(), a);
        yield return WithGradients("softplus, mish", t => t[0].Softplus() + t[0].Mish(), a.Clamp(-80, 80));
    }
}
