using System.Diagnostics;
using Banyan.Cpu;

namespace Banyan.Bench;

/// <summary>Matrix products at the shapes that models use, as fractions of what the machine can do.</summary>
internal static unsafe class GemmBench
{
    private sealed record Case(string Name, long M, long N, long K, string Form, bool Packed = false);

    // Form: which operands are stored transposed, as in BLAS; "nt" is a layer (weights [out, in]), "nn" its dX = dY W, "tn" its dW += dY^T X.
    private static IEnumerable<Case> Cases()
    {
        foreach (long n in new long[] { 16, 32, 64, 128, 256, 512, 1024, 2048 })
        {
            yield return new($"square {n}", n, n, n, "nn");
        }
        yield return new("square nt 512", 512, 512, 512, "nt");
        yield return new("square tn 512", 512, 512, 512, "tn");
        yield return new("square nt 1024", 1024, 1024, 1024, "nt");
        foreach ((string name, long rows, long @in, long @out) in new (string, long, long, long)[]
        {
            ("gpt2 qkv", 256, 768, 2304), ("gpt2 proj", 256, 768, 768), ("gpt2 up", 256, 768, 3072), ("gpt2 down", 256, 3072, 768),
            ("gpt2 head", 256, 768, 50257),
            ("char qkv", 3072, 384, 1152), ("char proj", 3072, 384, 384), ("char up", 3072, 384, 1536), ("char down", 3072, 1536, 384),
        })
        {
            yield return new($"{name} Y=XW'", rows, @out, @in, "nt");
            yield return new($"{name} dX=dY W", rows, @in, @out, "nn");
            yield return new($"{name} dW+=dY'X", @out, @in, rows, "tn");
        }
        foreach (long m in new long[] { 1, 2, 4, 8, 16 })
        {
            yield return new($"decode {m} head [out,in]", m, 50257, 768, "nt");
            yield return new($"decode {m} head [in,out]", m, 50257, 768, "nn");
            yield return new($"decode {m} head packed", m, 50257, 768, "nt", Packed: true);
            yield return new($"decode {m} up [out,in]", m, 3072, 768, "nt");
        }
    }

    public static void Run(string filter, int threads)
    {
        using var pool = new ComputePool(threads);
        double peak = MachineLimits.MeasureGflops(threads), read = MachineLimits.MeasureReadGigabytesPerSecond(threads);
        Console.WriteLine($"{MachineLimits.VectorWidth}, {threads} thread(s): {peak:F1} GFLOP/s, reads {read:F1} GB/s");
        Console.WriteLine($"{"product",-28} {"M x N x K",18} {"GFLOP/s",9} {"of peak",8} {"B GB/s",7} {"of read",8}");
        foreach (Case c in Cases().Where(c => c.Name.Contains(filter, StringComparison.Ordinal)))
        {
            double seconds = Measure(c, pool);
            peak = Math.Max(peak, MachineLimits.MeasureGflops(threads));
            double gflops = 2.0 * c.M * c.N * c.K / seconds / 1e9, rate = 4.0 * c.N * c.K / seconds / 1e9;
            Console.WriteLine($"{c.Name,-28} {$"{c.M}x{c.N}x{c.K}",18} {gflops,9:F2} {gflops / peak,8:P1} {rate,7:F2} {rate / read,8:P0}");
        }
    }

    private static double Measure(Case c, ComputePool pool)
    {
        using NativeBuffer a = Random(c.M * c.K), b = Random(c.K * c.N), y = Random(c.M * c.N);
        bool ta = c.Form[0] == 't', tb = c.Form[1] == 't';
        var args = new GemmArgs
        {
            M = c.M, N = c.N, K = c.K, A = a.Floats, ARow = ta ? 1 : c.K, ACol = ta ? c.M : 1,
            B = b.Floats, BRow = tb ? 1 : c.N, BCol = tb ? c.K : 1, C = y.Floats, CRow = c.N, Accumulate = c.Form == "tn",
        };
        using PackedMatrix? packed = c.Packed ? Gemm.Pack(c.K, c.N, b.Floats, args.BRow, args.BCol, pool) : null;
        if (packed != null)
        {
            args = Gemm.WithPackedB(args, packed);
        }
        return Best(args, pool);
    }

    private static double Best(in GemmArgs args, ComputePool pool)
    {
        // Small products are repeated inside one measurement.
        int repeat = (int)Math.Max(1, 4e6 / (2.0 * args.M * args.N * args.K));
        double best = double.MaxValue;
        long start = Stopwatch.GetTimestamp();
        for (int runs = 0; runs < 5 || Stopwatch.GetElapsedTime(start).TotalSeconds < 0.4; runs++)
        {
            long t = Stopwatch.GetTimestamp();
            for (int i = 0; i < repeat; i++)
            {
                Gemm.Run(args, pool);
            }
            best = Math.Min(best, Stopwatch.GetElapsedTime(t).TotalSeconds / repeat);
        }
        return best;
    }

    private static NativeBuffer Random(long count)
    {
        var buffer = new NativeBuffer(count * sizeof(float));
        var random = new Random(1);
        for (long i = 0; i < count; i++)
        {
            buffer.Floats[i] = random.NextSingle() - 0.5f;
        }
        return buffer;
    }
}
