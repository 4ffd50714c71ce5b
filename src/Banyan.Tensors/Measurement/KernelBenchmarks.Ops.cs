using Banyan.Cpu;

namespace Banyan;

public static unsafe partial class KernelBenchmarks
{
    private const long OpTokens = 8192, OpWidth = 768, OpClasses = 50257, OpRows = 128;

    // A kernel that passes over memory: how many arrays of Count elements it reads and writes, and how to make a run of it.
    private sealed record Pass(string Name, int Reads, int Writes, bool InPlace, long Count, Func<Scope, Scope, Action> Make);

    private static IEnumerable<Pass> Passes()
    {
        const long Count = OpTokens * OpWidth;
        yield return new("add", 2, 1, false, Count, (data, step) => Binary(data, step, (x, y) => x + y));
        yield return new("gelu", 1, 1, false, Count, (data, step) => Unary(data, step, x => x.Gelu()));
        yield return new("gelu tanh", 1, 1, false, Count, (data, step) => Unary(data, step, x => x.Gelu(GeluForm.Tanh)));
        yield return new("silu", 1, 1, false, Count, (data, step) => Unary(data, step, x => x.Silu()));
        yield return new("softmax", 1, 1, false, Count, (data, step) => Unary(data, step, x => x.Softmax(-1)));
        yield return new("log-softmax", 1, 1, false, Count, (data, step) => Unary(data, step, x => x.LogSoftmax(-1)));
        yield return new("layer norm", 1, 1, false, Count, (data, step) => Norm(data, step, (x, w) => x.LayerNorm(w, w)));
        yield return new("rms norm", 1, 1, false, Count, (data, step) => Norm(data, step, (x, w) => x.RmsNorm(w)));
        yield return new("layer norm backward", 2, 1, false, Count, LayerNormBackward);
        yield return new("rms norm backward", 2, 1, false, Count, RmsNormBackward);
        yield return new("column sums", 1, 0, false, Count, ColumnSum);
        yield return new("rotary", 1, 1, false, Count, (data, step) => Rotary(data, step, interleaved: false));
        yield return new("rotary interleaved", 1, 1, false, Count, (data, step) => Rotary(data, step, interleaved: true));
        yield return new("embedding", 1, 1, false, Count, Embedding);
        yield return new("embedding backward", 2, 1, true, Count, EmbeddingBackward);
        yield return new("cross-entropy", 1, 0, false, OpRows * OpClasses, (data, step) => CrossEntropy(data, gradient: false));
        yield return new("cross-entropy and gradient", 1, 1, true, OpRows * OpClasses, (data, step) => CrossEntropy(data, gradient: true));
        yield return new("squared norm", 1, 0, false, Count, SquaredNorm);
    }

    /// <param name="threads">Threads that compute, at least 1.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    /// <param name="filter">Only cases whose name contains this, in either case of letters; null: all.</param>
    /// <returns>GB/s read and written, and the fraction of what a probe with as many streams moves.</returns>
    public static IEnumerable<KernelRate> Ops(int threads, CancellationToken cancellation = default, string? filter = null)
    {
        using ComputePool pool = PoolOf(threads);
        foreach (Pass pass in Passes().Where(p => Wanted(p.Name, filter)))
        {
            using var data = new Scope(new() { Pool = pool });
            using var step = new Scope(new() { Pool = pool });
            using var probe = new StreamProbe(pass.Reads, pass.Writes, pass.InPlace);
            double bytes = (pass.Reads + pass.Writes) * (double)pass.Count * sizeof(float);
            yield return PairedRounds.Measure(pass.Name, "GB/s", bytes, pass.Make(data, step), () => probe.GigabytesPerSecond(pool), pool, cancellation);
        }
    }

    private static Action Unary(Scope data, Scope step, Func<Tensor, Tensor> f)
    {
        Tensor x = Random(data, OpTokens, OpWidth);
        return () => { f(step.Use(x)); step.Reset(); };
    }

    private static Action Binary(Scope data, Scope step, Func<Tensor, Tensor, Tensor> f)
    {
        Tensor x = Random(data, OpTokens, OpWidth), y = Random(data, OpTokens, OpWidth);
        return () => { f(step.Use(x), step.Use(y)); step.Reset(); };
    }

    private static Action Norm(Scope data, Scope step, Func<Tensor, Tensor, Tensor> f)
    {
        Tensor x = Random(data, OpTokens, OpWidth), w = Random(data, OpWidth);
        return () => { f(step.Use(x), step.Use(w)); step.Reset(); };
    }

    private static Action LayerNormBackward(Scope data, Scope step)
    {
        Tensor x = Random(data, OpTokens, OpWidth), dy = Random(data, OpTokens, OpWidth), dx = Random(data, OpTokens, OpWidth), w = Random(data, OpWidth);
        Tensor mean = Random(data, OpTokens), rstd = Random(data, OpTokens);
        return () => TensorRows.LayerNormBackward(x, w, mean, rstd, dy, dx);
    }

    private static Action RmsNormBackward(Scope data, Scope step)
    {
        Tensor x = Random(data, OpTokens, OpWidth), dy = Random(data, OpTokens, OpWidth), dx = Random(data, OpTokens, OpWidth), w = Random(data, OpWidth);
        Tensor rstd = Random(data, OpTokens);
        return () => TensorRows.RmsNormBackward(x, w, 0, rstd, dy, dx);
    }

    private static Action ColumnSum(Scope data, Scope step)
    {
        Tensor x = Random(data, OpTokens, OpWidth), y = Random(data, OpWidth);
        return () => TensorRows.ColumnSum(x, y);
    }

    private static Action Rotary(Scope data, Scope step, bool interleaved)
    {
        const long Dim = 64;
        Tensor x = Random(data, OpTokens, OpWidth / Dim, Dim), cos = Random(data, OpTokens, Dim / 2), sin = Random(data, OpTokens, Dim / 2);
        return () => { Banyan.Ops.Rotary.Apply(step.Use(x), cos, sin, interleaved); step.Reset(); };
    }

    private static Tensor Ids(Scope data, long count) => data.From([.. Enumerable.Range(0, (int)count).Select(i => i * 7919L % OpClasses)], [count]);

    private static Action Embedding(Scope data, Scope step)
    {
        Tensor table = Random(data, OpClasses, OpWidth), ids = Ids(data, OpTokens);
        return () => { step.Use(table).Embedding(step.Use(ids)); step.Reset(); };
    }

    private static Action EmbeddingBackward(Scope data, Scope step)
    {
        Tensor table = Random(data, OpClasses, OpWidth), ids = Ids(data, OpTokens), dy = Random(data, OpTokens, OpWidth);
        return () => TensorRows.ScatterAdd(table, ids, dy);
    }

    private static Action CrossEntropy(Scope data, bool gradient)
    {
        Tensor logits = Random(data, OpRows, OpClasses), loss = Random(data, OpRows), targets = Ids(data, OpRows);
        return () => TensorRows.CrossEntropy(logits, targets, loss, ignore: -100, smoothing: 0, scale: 1, gradient);
    }

    private static Action SquaredNorm(Scope data, Scope step)
    {
        Tensor x = Random(data, OpTokens, OpWidth);
        return () => GradientSums.OfSquares(x);
    }
}
