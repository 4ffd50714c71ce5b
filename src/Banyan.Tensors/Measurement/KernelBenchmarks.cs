using Banyan.Cpu;

namespace Banyan;

/// <summary>
/// The kernels at the shapes that models use, next to what the machine can do. Each method measures case after case and returns each result
/// as it comes, so a caller may print or stop at any time.
/// </summary>
public static partial class KernelBenchmarks
{
    private static ComputePool PoolOf(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        return new ComputePool(threads);
    }

    private static bool Wanted(string name, string? filter) => filter is null || name.Contains(filter, StringComparison.OrdinalIgnoreCase);

    private static Tensor Random(Scope scope, params long[] shape)
    {
        Tensor x = scope.Allocate(new Shape(shape), DType.Float32);
        x.FillUniform(0.5, seed: 1);
        return x;
    }
}
