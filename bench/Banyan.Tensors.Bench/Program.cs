using Banyan;

// Usage: Banyan.Tensors.Bench [gemm|attention|ops] [filter] [threads ...]: what kernels reach of the machine's limits.
string kind = args.Length > 0 ? args[0] : "gemm", filter = args.Length > 1 ? args[1] : "";
int[] threads = args.Length > 2 ? [.. args.Skip(2).Select(int.Parse)] : [.. new[] { 1, Environment.ProcessorCount }.Distinct()];
foreach (int count in threads)
{
    Console.WriteLine(MachineLimits.Measure(count));
    IEnumerable<KernelRate> rates = kind switch
    {
        "gemm" => KernelBenchmarks.Gemm(count, filter: filter),
        "attention" => KernelBenchmarks.Attention(count, filter: filter),
        "ops" => KernelBenchmarks.Ops(count, filter: filter),
        _ => throw new ArgumentException($"unknown benchmark '{kind}': gemm, attention or ops"),
    };
    foreach (KernelRate rate in rates)
    {
        Console.WriteLine(rate);
    }
}
