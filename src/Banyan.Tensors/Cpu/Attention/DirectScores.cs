using System.Runtime.Intrinsics;

namespace Banyan.Cpu;

/// <summary>One query times keys as they lie, without a transposed copy: blocks of keys are turned in registers. Each score is the chain over the depth that <see cref="TileProduct"/> has.</summary>
internal static unsafe class DirectScores
{
    /// <summary>Scores of <paramref name="keys"/> keys that lie <paramref name="stride"/> elements apart.</summary>
    public static void Row<S, V>(float* q, float* k, nint stride, int depth, int keys, float* scores) where S : struct, ISimd<V> where V : struct
    {
        int w = S.Width, key = 0;
        for (; key + 2 * w <= keys && w > 1; key += 2 * w)
        {
            float* first = k + key * stride, second = first + w * stride;
            V a = S.Zero, b = S.Zero;
            int d = 0;
            for (; d + 4 <= depth; d += 4)
            {
                Four<V> x = Columns.Load4<V>(first + d, stride), y = Columns.Load4<V>(second + d, stride);
                V q0 = S.Splat(q[d]), q1 = S.Splat(q[d + 1]), q2 = S.Splat(q[d + 2]), q3 = S.Splat(q[d + 3]);
                a = S.Fma(q3, x.V3, S.Fma(q2, x.V2, S.Fma(q1, x.V1, S.Fma(q0, x.V0, a))));
                b = S.Fma(q3, y.V3, S.Fma(q2, y.V2, S.Fma(q1, y.V1, S.Fma(q0, y.V0, b))));
            }
            S.Store(scores + key, a);
            S.Store(scores + key + w, b);
            for (int i = 0; d < depth && i < 2 * w; i++)
            {
                scores[key + i] = Chain(q, first + i * stride, d, depth, scores[key + i]);
            }
        }
        for (; key + 4 <= keys; key += 4)
        {
            FourKeys(q, k + key * stride, stride, depth, scores + key);
        }
        for (; key < keys; key++)
        {
            scores[key] = Chain(q, k + key * stride, 0, depth, 0);
        }
    }

    private static void FourKeys(float* q, float* k, nint stride, int depth, float* scores)
    {
        Vector128<float> sum = default;
        int d = 0;
        for (; d + 4 <= depth; d += 4)
        {
            Four<Vector128<float>> x = Columns.Load128(k + d, stride);
            sum = Vector128.FusedMultiplyAdd(Vector128.Create(q[d]), x.V0, sum);
            sum = Vector128.FusedMultiplyAdd(Vector128.Create(q[d + 1]), x.V1, sum);
            sum = Vector128.FusedMultiplyAdd(Vector128.Create(q[d + 2]), x.V2, sum);
            sum = Vector128.FusedMultiplyAdd(Vector128.Create(q[d + 3]), x.V3, sum);
        }
        sum.Store(scores);
        for (int i = 0; d < depth && i < 4; i++)
        {
            scores[i] = Chain(q, k + i * stride, d, depth, scores[i]);
        }
    }

    private static float Chain(float* q, float* k, int from, int depth, float sum)
    {
        for (int d = from; d < depth; d++)
        {
            sum = MathF.FusedMultiplyAdd(q[d], k[d], sum);
        }
        return sum;
    }
}
