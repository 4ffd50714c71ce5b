using Banyan.Bench;

// Usage: Banyan.Tensors.Bench [filter] [threads ...]: prints each benchmark whose name contains the filter.
string filter = args.Length > 0 ? args[0] : "";
int[] threads = args.Length > 1 ? [.. args.Skip(1).Select(int.Parse)] : Environment.ProcessorCount > 1 ? [1, Environment.ProcessorCount] : [1];
foreach (int t in threads)
{
    GemmBench.Run(filter, t);
}
