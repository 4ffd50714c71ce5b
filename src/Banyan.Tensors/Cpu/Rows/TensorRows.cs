namespace Banyan.Cpu;

/// <summary>The row kernels for tensors: float32, dense rows. Each method keeps its tensors alive until the kernel has run.</summary>
internal static unsafe class TensorRows
{
    /// <summary>True when the fast kernels apply: float32 and dense.</summary>
    public static bool Fits(Tensor x) => x.DType == DType.Float32 && x.IsContiguous;

    private static float* F(Tensor? t) => t is null ? null : (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private static long* L(Tensor t) => (long*)t.Body.Storage!.Pointer + t.Body.Offset;

    public static void RmsNorm(Tensor x, Tensor? weight, double offset, double eps, Tensor y, Tensor rstd)
    {
        if (!y.Device.IsMeta)
        {
            long n = x.Shape[-1];
            RmsNormKernel.Forward(F(x), F(weight), (float)offset, (float)eps, F(y), F(rstd), x.Count / Math.Max(n, 1), n, y.Pool);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
    }

    public static void RmsNormBackward(Tensor x, Tensor? weight, double offset, Tensor rstd, Tensor dy, Tensor dx)
    {
        if (!dx.Device.IsMeta)
        {
            long n = x.Shape[-1];
            RmsNormKernel.Backward(F(x), F(weight), (float)offset, F(rstd), F(dy), F(dx), x.Count / Math.Max(n, 1), n, dx.Pool);
        }
        GC.KeepAlive(weight);
    }

    public static void LayerNorm(Tensor x, Tensor? weight, Tensor? bias, double eps, Tensor y, Tensor mean, Tensor rstd)
    {
        if (!y.Device.IsMeta)
        {
            long n = x.Shape[-1];
            LayerNormKernel.Forward(F(x), F(weight), F(bias), (float)eps, F(y), F(mean), F(rstd), x.Count / Math.Max(n, 1), n, y.Pool);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(bias);
    }

    public static void LayerNormBackward(Tensor x, Tensor? weight, Tensor mean, Tensor rstd, Tensor dy, Tensor dx)
    {
        if (!dx.Device.IsMeta)
        {
            long n = x.Shape[-1];
            LayerNormKernel.Backward(F(x), F(weight), F(mean), F(rstd), F(dy), F(dx), x.Count / Math.Max(n, 1), n, dx.Pool);
        }
        GC.KeepAlive(weight);
    }

    /// <summary>y = the sum over the rows of a (rows, n).</summary>
    public static void ColumnSum(Tensor a, Tensor y)
    {
        if (!y.Device.IsMeta)
        {
            ColumnSums.Plain(F(a), a.Count / Math.Max(a.Shape[-1], 1), a.Shape[-1], F(y), y.Pool);
        }
        GC.KeepAlive(a);
    }

    /// <summary>y = the sum over the rows of a * (b - shift) * scale, one shift and scale for each row.</summary>
    public static void ColumnSum(Tensor a, Tensor b, Tensor? shift, Tensor scale, Tensor y)
    {
        if (!y.Device.IsMeta)
        {
            ColumnSums.Normalized(F(a), F(b), F(shift), F(scale), a.Count / Math.Max(a.Shape[-1], 1), a.Shape[-1], F(y), y.Pool);
        }
        GC.KeepAlive(a);
    }

    /// <summary>y[i] = table[ids[i]].</summary>
    public static void Gather(Tensor table, Tensor ids, Tensor y)
    {
        if (!y.Device.IsMeta)
        {
            EmbeddingKernel.Gather(F(table), L(ids), F(y), ids.Count, table.Shape[1], y.Pool);
        }
        GC.KeepAlive(table);
        GC.KeepAlive(ids);
    }

    /// <summary>table[ids[i]] += dy[i].</summary>
    public static void ScatterAdd(Tensor table, Tensor ids, Tensor dy)
    {
        if (!table.Device.IsMeta)
        {
            EmbeddingKernel.ScatterAdd(F(table), L(ids), F(dy), ids.Count, table.Shape[1], dy.Pool);
        }
        GC.KeepAlive(table);
        GC.KeepAlive(ids);
    }

    /// <summary>y = softmax(x) over the last dimension, or its logarithm.</summary>
    public static void Softmax(Tensor x, Tensor y, bool log)
    {
        if (!y.Device.IsMeta)
        {
            SoftmaxKernel.Forward(F(x), F(y), x.Count / Math.Max(x.Shape[-1], 1), x.Shape[-1], log, y.Pool);
        }
        GC.KeepAlive(x);
    }

    /// <summary>dx from the softmax (or log-softmax) y over the last dimension and dy.</summary>
    public static void SoftmaxBackward(Tensor y, Tensor dy, Tensor dx, bool log)
    {
        if (!dx.Device.IsMeta)
        {
            SoftmaxKernel.Backward(F(y), F(dy), F(dx), y.Count / Math.Max(y.Shape[-1], 1), y.Shape[-1], log, dx.Pool);
        }
        GC.KeepAlive(y);
        GC.KeepAlive(dy);
    }

    /// <summary>
    /// Losses of rows of logits; with <paramref name="gradient"/> the logits become their gradient times <paramref name="scale"/> (and each row's own).
    /// </summary>
    public static void CrossEntropy(
        Tensor logits, Tensor targets, Tensor loss, long ignore, double smoothing, double scale, bool gradient, Tensor? rowScales = null)
    {
        if (!logits.Device.IsMeta)
        {
            CrossEntropyKernel.Run(F(logits), L(targets), F(loss), logits.Shape[0], logits.Shape[1], ignore, (float)smoothing, (float)scale,
                F(rowScales), gradient, logits.Pool);
        }
        GC.KeepAlive(targets);
        GC.KeepAlive(rowScales);
    }

    /// <summary>y = x with its heads turned by their token's angle; x and y (tokens, heads, width), last dimension contiguous.</summary>
    public static void Rotary(Tensor x, Tensor y, Tensor cos, Tensor sin, bool interleaved, bool inverse)
    {
        if (!y.Device.IsMeta)
        {
            RotaryKernel.Run(F(x), x.Strides[0], x.Strides[1], F(y), y.Strides[0], y.Strides[1], F(cos), F(sin),
                x.Shape[0], x.Shape[1], x.Shape[2], cos.Shape[1], interleaved, inverse, y.Pool);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(cos);
        GC.KeepAlive(sin);
    }

    /// <summary>The smallest and largest id, for bounds checks before a gather; (0, -1) when there are none.</summary>
    public static (long Min, long Max) Range(Tensor ids)
    {
        if (ids.Device.IsMeta || ids.Count == 0)
        {
            return (0, -1);
        }
        long* p = L(ids);
        long min = p[0], max = p[0];
        for (long i = 1; i < ids.Count; i++)
        {
            min = Math.Min(min, p[i]);
            max = Math.Max(max, p[i]);
        }
        GC.KeepAlive(ids);
        return (min, max);
    }

    /// <summary>How many targets are not <paramref name="ignore"/>; the error of a target outside [0, classes).</summary>
    public static long CountTargets(Tensor targets, long classes, long ignore)
    {
        if (targets.Device.IsMeta)
        {
            return targets.Count;
        }
        long* p = L(targets);
        long counted = 0;
        for (long i = 0; i < targets.Count; i++)
        {
            if (p[i] != ignore && (ulong)p[i] >= (ulong)classes)
            {
                throw new ArgumentOutOfRangeException(nameof(targets), p[i], $"cross entropy: target {p[i]} at index {i} is not a class of 0..{classes - 1} (or {ignore}, ignored)");
            }
            counted += p[i] == ignore ? 0 : 1;
        }
        GC.KeepAlive(targets);
        return counted;
    }

    /// <summary>The sum of a float32 tensor's elements in double precision, in order.</summary>
    public static double SumAsDouble(Tensor x)
    {
        double sum = 0;
        float* p = F(x);
        for (long i = 0; i < x.Count && p != null; i++)
        {
            sum += p[i];
        }
        GC.KeepAlive(x);
        return sum;
    }
}
