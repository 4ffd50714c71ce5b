using System.Diagnostics;
using Banyan.Cpu;

namespace Banyan.Bench;

/// <summary>Softmax rows, next to a copy of the same memory: the exponential should cost less than a few passes.</summary>
internal static unsafe class RowBench
{
    private delegate void Rows(float* x, float* y, long rows, long n, ComputePool pool);

    private static readonly (string Name, Rows Run)[] s_cases =
    [
        ("softmax", (x, y, rows, n, pool) => SoftmaxKernel.Forward(x, y, rows, n, log: false, pool)),
        ("softmax backward", (x, y, rows, n, pool) => SoftmaxKernel.Backward(x, y, y, rows, n, log: false, pool)),
        ("log_softmax", (x, y, rows, n, pool) => SoftmaxKernel.Forward(x, y, rows, n, log: true, pool)),
        ("log_softmax backward", (x, y, rows, n, pool) => SoftmaxKernel.Backward(x, y, y, rows, n, log: true, pool)),
        ("cross entropy", CrossEntropy),
    ];

    public static void Run(string filter, int threads)
    {
        using var pool = new ComputePool(threads);
        Console.WriteLine($"{"rows",-24} {"rows x n",14} {"ms",9} {"Gelem/s",9} {"copies",8}");
        foreach ((long rows, long n) in new (long, long)[] { (4096, 512), (512, 4096), (64, 50257) })
        {
            using NativeBuffer x = GemmBench.Random(rows * n), y = GemmBench.Random(rows * n);
            double copy = Best(() => Buffer.MemoryCopy(x.Floats, y.Floats, rows * n * sizeof(float), rows * n * sizeof(float)));
            foreach (var (name, run) in s_cases.Where(c => c.Name.Contains(filter, StringComparison.Ordinal)))
            {
                double seconds = Best(() => run(x.Floats, y.Floats, rows, n, pool));
                Console.WriteLine($"{name,-24} {$"{rows}x{n}",14} {seconds * 1e3,9:F3} {rows * n / seconds / 1e9,9:F3} {seconds / copy,8:F2}");
            }
        }
    }

    private static void CrossEntropy(float* x, float* y, long rows, long n, ComputePool pool)
    {
        long* targets = stackalloc long[(int)rows];
        float* losses = stackalloc float[(int)rows];
        new Span<long>(targets, (int)rows).Fill(n / 2);
        CrossEntropyKernel.Run(x, targets, losses, rows, n, -1, 0, 1, null, gradient: false, pool);
    }

    private static double Best(Action run)
    {
        double best = double.MaxValue;
        long start = Stopwatch.GetTimestamp();
        for (int runs = 0; runs < 5 || Stopwatch.GetElapsedTime(start).TotalSeconds < 0.4; runs++)
        {
            long t = Stopwatch.GetTimestamp();
            run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(t).TotalSeconds);
        }
        return best;
    }
}
