using System.Diagnostics;
using Banyan.Cpu;
namespace Banyan.Bench;
internal static unsafe class TempTune
{
    struct Ts { public long S, N; }
    [System.Runtime.InteropServices.DllImport("libc")] static extern int clock_gettime(int id, Ts* ts);
    static double Cpu(bool one) { Ts t; clock_gettime(one ? 3 : 1, &t); return t.S + t.N * 1e-9; }
    static double Peak(ComputePool pool, bool one) { double s = Cpu(one); double g = MachineLimits.GflopsOnce(pool, 100000); return one ? 2.0 * 100000 * 12 * Isa.Width / (Cpu(one) - s) / 1e9 : g; }

    // tune M N K form threads  d,r,c,p ...
    public static void Run(string[] a)
    {
        long m = long.Parse(a[0]), n = long.Parse(a[1]), k = long.Parse(a[2]); string form = a[3]; int threads = int.Parse(a[4]); double secs = double.Parse(a[5]);
        using var pool = new ComputePool(threads);
        NativeBuffer Random(long count) { var b = new NativeBuffer(count * 4); var r = new Random(1); for (long i = 0; i < count; i++) b.Floats[i] = r.NextSingle() - 0.5f; return b; }
        using NativeBuffer x = Random(m * k), w = Random(k * n), y = Random(m * n);
        bool ta = form[0] == 't', tb = form[1] == 't';
        var args = new GemmArgs { M = m, N = n, K = k, A = x.Floats, ARow = ta ? 1 : k, ACol = ta ? m : 1, B = w.Floats, BRow = tb ? 1 : n, BCol = tb ? k : 1, C = y.Floats, CRow = n, Accumulate = form == "tn" };
        var d = GemmBlocking.Default;
        GemmBlocking[] v = [d, .. a.Skip(6).Select(s => s.Split(',').Select(long.Parse).ToArray()).Select(q => new GemmBlocking(q[1] == 0 ? d.Rows : q[1], q[2] == 0 ? d.Columns : q[2], q[0] == 0 ? d.Depth : q[0], (OperandPacking)(q.Length > 3 ? q[3] : 0)))];
        List<double>[] ratio = [.. v.Select(_ => new List<double>())];
        double[] best = new double[v.Length]; double bestPeak = 0; double[] pack = new double[v.Length];
        int repeat = (int)Math.Max(1, 2e7 / (2.0 * m * n * k));
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < 4 || Stopwatch.GetElapsedTime(start).TotalSeconds < secs; round++)
        {
            for (int i = 0; i < v.Length; i++)
            {
                double peak = Peak(pool, threads == 1);
                double t = Cpu(threads == 1);
                for (int r = 0; r < repeat; r++) Gemm.Run<IdentityActivation>(args, pool, v[i]);
                double g = 2.0 * m * n * k * repeat / (Cpu(threads == 1) - t) / 1e9;
                double p2 = Peak(pool, threads == 1); double avg = (peak + p2) / 2; bool stable = Math.Abs(peak - p2) < 0.04 * avg; peak = Math.Max(peak, p2);
                if (round < 2) continue;
                bestPeak = Math.Max(peak, bestPeak); best[i] = Math.Max(best[i], g); if (stable) ratio[i].Add(g / avg);
            }
        }
        for (int i = 0; i < v.Length; i++)
        {
            ratio[i].Sort(); if (ratio[i].Count == 0) ratio[i].Add(0);
            Console.WriteLine($"{m}x{n}x{k} {form} {v[i].Depth,5} {v[i].Rows,5} {v[i].Columns,6} {v[i].Packing,-7} best {best[i],6:F1} / {bestPeak:F1} = {best[i] / bestPeak,6:P1}  median {ratio[i][ratio[i].Count / 2],6:P1} p90 {ratio[i][ratio[i].Count * 9 / 10],6:P1} ({ratio[i].Count})");
        }
    }
}
