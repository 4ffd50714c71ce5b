using System.Buffers;
using System.Numerics;

namespace Banyan.Cpu;

/// <summary>
/// The order of the elements along one dimension: stable, NaN counts as largest, -0 equals 0. An element becomes an integer that sorts as it does,
/// joined with its index, so that plain integers are sorted and equals keep their order.
/// </summary>
internal static unsafe class SortLoop
{
    /// <summary>
    /// indices (int64): which element comes first, second, ... along the axis; as many as the axis of <paramref name="indices"/> is long. x is
    /// float32, float64 or int64.
    /// </summary>
    public static void Run(Tensor x, Tensor indices, int axis, bool descending)
    {
        if (indices.Device.IsMeta || indices.Count == 0)
        {
            return;
        }
        if (x.DType == DType.Float32)
        {
            Run<float, ulong>(x, indices, axis, descending, 32);
        }
        else if (x.DType == DType.Float64)
        {
            Run<double, UInt128>(x, indices, axis, descending, 64);
        }
        else
        {
            Run<long, UInt128>(x, indices, axis, descending, 64);
        }
    }

    private static void Run<T, K>(Tensor x, Tensor indices, int axis, bool descending, int indexBits)
        where T : unmanaged where K : unmanaged, IBinaryInteger<K>, IMinMaxValue<K>
    {
        Shape lines = x.Shape.With(axis, 1);
        var body = new Lines<T, K>
        {
            X = (T*)x.Body.Storage!.Pointer,
            Indices = (long*)indices.Body.Storage!.Pointer,
            N = checked((int)x.Shape[axis]),
            Wanted = checked((int)indices.Shape[axis]),
            Step = x.Strides[axis],
            IndexStep = indices.Strides[axis],
            IndexBits = indexBits,
            Descending = descending,
        };
        Tensor from = x.AsView(lines, x.Strides, x.Body.Offset), to = indices.AsView(lines, indices.Strides, indices.Body.Offset);
        StridedLoop.RunWeighted(lines, body, 8L * body.N, indices.Pool, from, to);
        GC.KeepAlive(x);
        GC.KeepAlive(indices);
    }

    private struct Lines<T, K> : IInnerLoop where T : unmanaged where K : unmanaged, IBinaryInteger<K>, IMinMaxValue<K>
    {
        public T* X;
        public long* Indices;
        public int N, Wanted, IndexBits;
        public long Step, IndexStep;
        public bool Descending;

        public readonly void Run(long* offset, long* stride, long n)
        {
            // Room for twice the wanted keys: the smaller half survives whenever it is full.
            K[] keys = ArrayPool<K>.Shared.Rent((int)Math.Min(N, Math.Max(2L * Wanted, 256)));
            for (long i = 0; i < n; i++)
            {
                Smallest(X + offset[0] + i * stride[0], keys);
                long* index = Indices + offset[1] + i * stride[1];
                long mask = IndexBits == 64 ? -1 : (1L << IndexBits) - 1;
                for (int k = 0; k < Wanted; k++)
                {
                    index[k * IndexStep] = long.CreateTruncating(keys[k]) & mask;
                }
            }
            ArrayPool<K>.Shared.Return(keys);
        }

        private readonly void Smallest(T* x, K[] keys)
        {
            int count = 0;
            K limit = K.MaxValue;
            for (int k = 0; k < N; k++)
            {
                ulong ordinal = Ordinal(x[k * Step]);
                K key = (K.CreateTruncating(Descending ? ~ordinal : ordinal) << IndexBits) | K.CreateTruncating(k);
                if (key < limit)
                {
                    keys[count++] = key;
                    if (count == keys.Length && Wanted < count)
                    {
                        keys.AsSpan(0, count).Sort();
                        count = Wanted;
                        limit = keys[count - 1];
                    }
                }
            }
            keys.AsSpan(0, count).Sort();
        }
    }

    // An unsigned integer that sorts as x does: of floats, the bits with the sign bit flipped, of negative ones with all bits flipped.
    private static ulong Ordinal<T>(T x) where T : unmanaged
    {
        if (x is float f)
        {
            int bits = BitConverter.SingleToInt32Bits(f == 0 ? 0 : f);
            return float.IsNaN(f) ? uint.MaxValue : (uint)(bits ^ ((bits >> 31) | int.MinValue));
        }
        if (x is double d)
        {
            long bits = BitConverter.DoubleToInt64Bits(d == 0 ? 0 : d);
            return double.IsNaN(d) ? ulong.MaxValue : (ulong)(bits ^ ((bits >> 63) | long.MinValue));
        }
        return (ulong)((long)(object)x ^ long.MinValue);
    }
}
