using System.Buffers.Binary;
using Banyan.Cpu;
using Banyan.Cpu.Emit;
using Banyan.Quant;
using Banyan.Tests.Cpu.Emit;
using Xunit;

namespace Banyan.Tests.Quant;

/// <summary>Linear layers with weights in blocks: against the definition in double precision, and the same bits whatever runs them.</summary>
public sealed class BlockProductTests
{
    private const int N = 77, K = 768;

    public static IEnumerable<object[]> Formats() => BlockFormats.All.Select(f => new object[] { f.Name });

    [Theory, MemberData(nameof(Formats))]
    public void A_product_is_the_sum_over_groups_of_steps_times_whole_numbers(string name)
    {
        BlockFormat format = BlockFormats.FromName(name)!;
        Tensor w = Weights(format, N, K), x = Inputs(7, K), bias = Inputs(1, N).Reshape(N);
        float[] numbers = w.To(DType.Float32).ToArray<float>(), rows = x.ToArray<float>(), b = bias.ToArray<float>(), y = x.Linear(w, bias).ToArray<float>();
        float[] rounded = format.Panels is null ? rows : Rounded(rows);
        for (int m = 0; m < 7; m++)
        {
            for (int n = 0; n < N; n++)
            {
                double sum = b[n], size = Math.Abs(b[n]);
                for (int k = 0; k < K; k++)
                {
                    double product = (double)rounded[m * K + k] * numbers[n * K + k];
                    (sum, size) = (sum + product, size + Math.Abs(product));
                }
                Assert.True(Math.Abs(sum - y[m * N + n]) <= 2e-6 * size, $"({m}, {n}): {y[m * N + n]}, expected {sum}");
            }
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void One_row_or_many_one_thread_or_two_give_the_same_bits(string name)
    {
        Tensor w = Weights(BlockFormats.FromName(name)!, N, K), x = Inputs(15, K);
        float[] all = x.Linear(w).ToArray<float>();
        using var one = new ComputePool(1);
        using var scope = new Scope(new() { Pool = one });
        for (int m = 0; m < 15; m++)
        {
            Assert.Equal(all[(m * N)..((m + 1) * N)], scope.Use(x).Slice(0, m, 1).Linear(w).ToArray<float>());
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void The_exact_path_is_the_product_of_floats(string name)
    {
        Tensor w = Weights(BlockFormats.FromName(name)!, N, K), x = Inputs(9, K);
        using var scope = new Scope(new() { ExactBlockProducts = true });
        float[] exact = scope.Use(x).Linear(w).ToArray<float>();
        Assert.Equal(x.Linear(w.To(DType.Float32)).ToArray<float>(), exact);
        float[] whole = x.Linear(w).ToArray<float>();
        double dot = exact.Zip(whole, (a, b) => (double)a * b).Sum(), norms = Math.Sqrt(exact.Sum(a => (double)a * a) * whole.Sum(a => (double)a * a));
        Assert.True(dot / norms > 0.9995, $"cosine {dot / norms}");
    }

    [Theory]
    [InlineData(16, false, 15), InlineData(16, true, 15), InlineData(32, false, 63), InlineData(32, true, 63), InlineData(32, false, 255)]
    public unsafe void Emitted_code_computes_the_bits_of_the_managed_kernel(int group, bool offsets, int largest)
    {
        var layout = new UnpackedGroup(group, offsets, largest);
        const int Groups = 5;
        var random = new Random(3);
        byte[] b = new byte[Groups * layout.Bytes], a = new byte[Groups * Int8Tile.MaxRows * sizeof(ActivationBlock)];
        float[] first = new float[6 * 32], second = new float[6 * 32], before = new float[6 * 32];
        foreach (bool extreme in new[] { false, true })
        {
            b = [.. b.Select(_ => (byte)(extreme ? largest : random.Next(largest + 1)))];
            a = [.. a.Select(_ => (byte)(extreme ? -127 : random.Next(-127, 128)))];
            fixed (byte* pa = a, pb = b)
            {
                for (int g = 0; g < Groups; g++)
                {
                    float* scales = (float*)(pb + g * layout.Bytes + UnpackedGroup.Codes);
                    for (int i = 0; i < (layout.Bytes - UnpackedGroup.Codes) / 4; i++)
                    {
                        scales[i] = random.NextSingle() - 0.5f;
                    }
                }
                for (int i = 0; i < Groups * Int8Tile.MaxRows; i++)
                {
                    ActivationBlock* block = (ActivationBlock*)pa + i;
                    block->Step = random.NextSingle();
                    for (int part = 0; part < layout.Scales; part++)
                    {
                        block->Start[part] = -(largest + 1) / 2 * new Span<sbyte>(block->Codes + part * group, group).ToArray().Sum(c => c);
                    }
                    (block->Sum[0], block->Sum[1]) = (random.NextSingle(), random.NextSingle());
                }
                fixed (float* p = first, q = second)
                {
                    for (int rows = 1; rows <= Int8Tile.MaxRows; rows++)
                    {
                        var args = new Int8TileArgs { Groups = Groups, A = (ActivationBlock*)pa, B = pb, From = extreme ? p : null, FromRow = 128, To = p, ToRow = 128 };
                        Int8TileArgs other = args;
                        other.From = extreme ? q : null;
                        other.To = q;
                        Int8TileArgs emulated = args;
                        Int8Reference.Run(rows, layout, &other);
                        Array.Copy(first, before, first.Length);
                        new Emulator(Int8Tile.Emit(rows, layout, windows: false)).Call(&emulated);
                        Assert.Equal(second, first);
                        if (Int8Tile.IsAvailable)
                        {
                            before.CopyTo(first, 0);
                            Int8Tile.Run(rows, layout, &args);
                            Assert.Equal(second, first);
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public unsafe void A_bias_may_be_a_view_with_gaps()
    {
        Tensor strided = Inputs(8, 2).Select(1, 1), bias = strided.Contiguous(), x = Inputs(3, 64), numbers = Inputs(8, 64);
        Assert.False(strided.IsContiguous);
        Tensor blocks = Weights(BlockFormats.FromName("Q4_0")!, 8, 64), file = Tensor.Borrow(numbers.Body.Storage!.Pointer, numbers.Shape, DType.Float32, numbers);
        Assert.Equal(x.Linear(blocks, bias).ToArray<float>(), x.Linear(blocks, strided).ToArray<float>());
        Assert.Equal(x.Linear(numbers, bias).ToArray<float>(), x.Linear(file, strided).ToArray<float>());
    }

    [Fact]
    public void What_is_not_finite_shows_in_the_result()
    {
        Tensor w = Weights(BlockFormats.FromName("Q4_0")!, 4, 64);
        float[] x = new float[64];
        x[40] = float.NaN;
        Assert.All(Tensor.From(x, [1, 64]).Linear(w).ToArray<float>(), v => Assert.True(float.IsNaN(v)));
        x[40] = float.PositiveInfinity;
        Assert.All(Tensor.From(x, [1, 64]).Linear(w).ToArray<float>(), v => Assert.False(float.IsFinite(v)));
        x[40] = 1e-42f; // below what a step of 1 / 127 can be inverted to
        Assert.All(Tensor.From(x, [1, 64]).Linear(w).ToArray<float>(), v => Assert.True(MathF.Abs(v) < 1e-40f));
    }

    [Fact]
    public void Gradients_flow_to_the_input_as_through_the_numbers()
    {
        Tensor w = Weights(BlockFormats.FromName("Q5_K")!, 32, 256), x = Inputs(3, 256);
        Assert.Equal(Gradient(x, w.To(DType.Float32)), Gradient(x, w));
    }

    [Fact]
    public void Tables_in_blocks_are_read_by_row()
    {
        Tensor w = Weights(BlockFormats.FromName("Q6_K")!, 40, 256);
        long[] ids = [3, 39, 0, 3];
        Assert.Equal(w.To(DType.Float32).Embedding(Tensor.From(ids)).ToArray<float>(), w.Embedding(Tensor.From(ids)).ToArray<float>());
    }

    private static float[] Gradient(Tensor x, Tensor w)
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor leaf = x.Clone(null);
        leaf.RequiresGrad = true;
        scope.Use(leaf).Linear(w).Sum().Backward();
        return leaf.Grad!.ToArray<float>();
    }

    private static Tensor Inputs(int rows, int columns)
    {
        Tensor x = Tensor.Zeros([rows, columns]);
        x.FillNormal(1, 11);
        return x;
    }

    // Random blocks: quantized numbers, and where a format is only read random bytes with the scales of the reference's.
    private static Tensor Weights(BlockFormat format, int n, int k)
    {
        Tensor w = Tensor.Zeros([n, k], format.DType);
        if (format.CanQuantize)
        {
            w.CopyFrom(Inputs(n, k));
            return w;
        }
        byte[] blocks = new byte[format.DType.ByteCount(n * k)];
        new Random(5).NextBytes(blocks);
        for (int at = 0; at < blocks.Length; at += format.BlockBytes)
        {
            BinaryPrimitives.WriteHalfLittleEndian(blocks.AsSpan(at), (Half)(0.01 + at % 7 * 0.001));
            if (format.Name == "IQ1_M")
            {
                BinaryPrimitives.WriteUInt64LittleEndian(blocks.AsSpan(at + 48), 0x2000_1000_8000_7000); // its step is spread over four words
            }
        }
        unsafe
        {
            blocks.CopyTo(new Span<byte>(w.Body.Storage!.Pointer, blocks.Length));
        }
        return w;
    }

    private static float[] Rounded(float[] x)
    {
        var y = new float[x.Length];
        for (int at = 0; at < x.Length; at += 32)
        {
            float largest = x.AsSpan(at, 32).ToArray().Max(MathF.Abs);
            for (int i = at; i < at + 32; i++)
            {
                y[i] = MathF.Round(x[i] * (127 / largest)) * (largest / 127);
            }
        }
        return y;
    }
}
