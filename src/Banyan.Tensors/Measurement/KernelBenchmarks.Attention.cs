using Banyan.Cpu;

namespace Banyan;

public static unsafe partial class KernelBenchmarks
{
    private const int AttentionHeads = 4;

    /// <summary>Attention over 512 and 2048 tokens with heads of 64 and 128, full and causal, forward and with its gradients.</summary>
    /// <param name="threads">Threads that compute, at least 1.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    /// <param name="filter">Only cases whose name contains this, in either case of letters; null: all.</param>
    /// <returns>GFLOP/s of the matrix products alone (hidden keys not counted), and the fraction of the multiply-adds that the processor can do.</returns>
    public static IEnumerable<KernelRate> Attention(int threads, CancellationToken cancellation = default, string? filter = null)
    {
        using ComputePool pool = PoolOf(threads);
        foreach (int tokens in (int[])[512, 2048])
        {
            foreach (int dim in (int[])[64, 128])
            {
                foreach ((bool causal, bool gradients) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
                {
                    string name = $"attention T={tokens} D={dim} {(causal ? "causal" : "full")} {(gradients ? "forward+backward" : "forward")}";
                    if (Wanted(name, filter))
                    {
                        yield return Measure(name, tokens, dim, causal, gradients, pool, cancellation);
                    }
                }
            }
        }
    }

    private static KernelRate Measure(string name, int tokens, int dim, bool causal, bool gradients, ComputePool pool, CancellationToken cancellation)
    {
        using var inputs = new Scope(new() { Pool = pool });
        using var step = new Scope(new() { Pool = pool, RecordGradients = gradients });
        Tensor q = Random(inputs, tokens, AttentionHeads, dim), k = Random(inputs, tokens, AttentionHeads, dim), v = Random(inputs, tokens, AttentionHeads, dim);
        q.RequiresGrad = k.RequiresGrad = v.RequiresGrad = gradients;
        var options = new AttentionOptions { Causal = causal, Layout = SequenceLayout.Packed(tokens) };
        void Run()
        {
            Tensor[] x = [step.Use(q), step.Use(k), step.Use(v)];
            Tensor y = Banyan.Ops.Attention.Apply(x[0], x[1], x[2], options);
            if (gradients)
            {
                step.Tape!.Gradients(y, x, y.Detach());
            }
            step.Reset();
        }
        // Two products forward (q k', p v), five backward (q k' again, do v', p' do, ds k, ds' q).
        double pairs = causal ? tokens * (tokens + 1.0) / 2 : (double)tokens * tokens;
        double work = 2.0 * AttentionHeads * pairs * dim * (gradients ? 7 : 2);
        return PairedRounds.Measure(name, "GFLOP/s", work, Run, () => ArithmeticProbe.Gflops(pool), pool, cancellation);
    }
}
