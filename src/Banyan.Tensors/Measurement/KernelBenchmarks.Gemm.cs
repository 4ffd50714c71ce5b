using Banyan.Cpu;

namespace Banyan;

public static unsafe partial class KernelBenchmarks
{
    // Form: which operands are stored transposed, as in BLAS. "NT" is a layer on weights [out, in]; "NN" its input gradient dX = dY W; "TN" its
    // weight gradient dW += dY' X.
    private readonly record struct Product(string Name, long M, long N, long K, string Form)
    {
        public override string ToString() => $"{Name} {Form} {M}x{N}x{K}";
    }

    private static IEnumerable<Product> Products()
    {
        foreach (string form in (string[])["NN", "NT", "TN"])
        {
            foreach (long n in (long[])[512, 1024, 2048])
            {
                yield return new("square", n, n, n, form);
            }
        }
        foreach ((string name, long tokens, long from, long to) in Layers)
        {
            yield return new($"{name} forward", tokens, to, from, "NT");
            yield return new($"{name} input gradient", tokens, from, to, "NN");
            yield return new($"{name} weight gradient", to, from, tokens, "TN");
        }
    }

    // GPT-2 124M with 256 tokens, and a character model of nanoGPT's size with 3072.
    private static readonly (string Name, long Tokens, long In, long Out)[] Layers =
    [
        ("gpt2 qkv", 256, 768, 2304), ("gpt2 projection", 256, 768, 768), ("gpt2 up", 256, 768, 3072), ("gpt2 down", 256, 3072, 768),
        ("gpt2 head", 256, 768, 50257),
        ("char qkv", 3072, 384, 1152), ("char projection", 3072, 384, 384), ("char up", 3072, 384, 1536), ("char down", 3072, 1536, 384),
        ("char head", 3072, 384, 65),
    ];

    /// <summary>Float32 matrix products: squares of 512 to 2048, and the layers of two models forward and backward; named with M x N x K.</summary>
    /// <param name="threads">Threads that compute, at least 1.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    /// <param name="filter">Only cases whose name contains this, in either case of letters; null: all.</param>
    /// <param name="bf16">Whether the operands are rounded to bfloat16.</param>
    /// <returns>GFLOP/s, and the fraction of the multiply-adds that the processor can do in registers (of bfloat16 where these are asked for).</returns>
    public static IEnumerable<KernelRate> Gemm(int threads, CancellationToken cancellation = default, string? filter = null, bool bf16 = false)
    {
        using ComputePool pool = PoolOf(threads);
        foreach (Product product in Products().Where(p => Wanted(p.ToString(), filter)))
        {
            yield return Measure(product, pool, bf16, cancellation);
        }
    }

    private static KernelRate Measure(Product p, ComputePool pool, bool bf16, CancellationToken cancellation)
    {
        using var scope = new Scope(new() { Pool = pool });
        Tensor a = Random(scope, p.M, p.K), b = Random(scope, p.K, p.N), c = scope.Zeros([p.M, p.N]);
        bool ta = p.Form[0] == 'T', tb = p.Form[1] == 'T';
        var args = new GemmArgs
        {
            M = p.M, N = p.N, K = p.K, A = (float*)a.Body.Storage!.Pointer, ARow = ta ? 1 : p.K, ACol = ta ? p.M : 1,
            B = (float*)b.Body.Storage!.Pointer, BRow = tb ? 1 : p.N, BCol = tb ? p.K : 1,
            C = (float*)c.Body.Storage!.Pointer, CRow = p.N, Accumulate = ta, InBf16 = bf16,
        };
        return PairedRounds.Measure(p.ToString(), "GFLOP/s", 2.0 * p.M * p.N * p.K, () => Cpu.Gemm.Run(args, pool), () => bf16 ? ArithmeticProbe.Bf16Gflops(pool) : ArithmeticProbe.Gflops(pool), pool, cancellation);
    }
}
