using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>The innermost loop over up to four operands: element i of operand j is at <c>offset[j] + i * stride[j]</c>.</summary>
internal unsafe interface IInnerLoop
{
    void Run(long* offset, long* stride, long n);
}

/// <summary>
/// Walks tensors of one (broadcast) shape with any strides. Neighbouring dimensions that lie evenly in every operand are merged first, so
/// dense operands become one flat loop; pieces run in parallel.
/// </summary>
internal unsafe struct StridedLoop
{
    public const int MaxOperands = 4;
    private const long PieceElements = 16 * 1024;

    private fixed long _size[Shape.MaxRank];
    private fixed long _stride[MaxOperands * Shape.MaxRank];
    private fixed long _base[MaxOperands];
    private int _rank;
    private int _operands;

    /// <summary>Runs <paramref name="body"/> over <paramref name="shape"/>; operands are broadcast to it.</summary>
    public static void Run<TBody>(in Shape shape, TBody body, ComputePool pool, params ReadOnlySpan<Tensor> operands) where TBody : struct, IInnerLoop =>
        RunWeighted(shape, body, 1, pool, operands);

    /// <summary>The same for a body that does the work of <paramref name="weight"/> elements at each (a reduction), which makes the pieces smaller.</summary>
    public static void RunWeighted<TBody>(in Shape shape, TBody body, long weight, ComputePool pool, params ReadOnlySpan<Tensor> operands)
        where TBody : struct, IInnerLoop
    {
        if (shape.Count == 0)
        {
            return;
        }
        StridedLoop loop = default;
        loop._operands = operands.Length;
        loop.Merge(shape, operands);
        long inner = loop._size[loop._rank - 1];
        long outer = 1;
        for (int d = 0; d < loop._rank - 1; d++)
        {
            outer *= loop._size[d];
        }
        long piece = Math.Max(PieceElements / Math.Max(weight, 1), 1);
        long cuts = outer == 1 ? (inner + piece - 1) / piece : 1;
        var work = new Work<TBody> { Loop = loop, Body = body, Cuts = cuts };
        pool.For(outer * cuts, Math.Max(1, piece / Math.Max(inner / cuts, 1)), work);
        foreach (Tensor t in operands)
        {
            GC.KeepAlive(t);
        }
    }

    private void Merge(in Shape shape, ReadOnlySpan<Tensor> operands)
    {
        for (int j = 0; j < operands.Length; j++)
        {
            _base[j] = operands[j].Body.Offset;
        }
        long* stride = stackalloc long[MaxOperands];
        for (int d = 0; d < shape.Rank; d++)
        {
            if (shape[d] == 1)
            {
                continue;
            }
            for (int j = 0; j < operands.Length; j++)
            {
                stride[j] = BroadcastStride(operands[j], shape.Rank - d);
            }
            Push(shape[d], stride);
        }
        if (_rank == 0)
        {
            _size[0] = 1;
            _rank = 1;
        }
    }

    private static long BroadcastStride(Tensor t, int fromEnd)
    {
        TensorBody body = t.Body;
        return fromEnd > body.Shape.Rank || body.Shape[-fromEnd] == 1 ? 0 : body.Strides[-fromEnd];
    }

    private void Push(long size, long* stride)
    {
        bool merges = _rank > 0;
        for (int j = 0; j < _operands && merges; j++)
        {
            merges = _stride[j * Shape.MaxRank + _rank - 1] == stride[j] * size;
        }
        int d = merges ? _rank - 1 : _rank++;
        _size[d] = merges ? _size[d] * size : size;
        for (int j = 0; j < _operands; j++)
        {
            _stride[j * Shape.MaxRank + d] = stride[j];
        }
    }

    private struct Work<TBody> : IParallelBody where TBody : struct, IInnerLoop
    {
        public StridedLoop Loop;
        public TBody Body;
        public long Cuts;

        public void Run(long begin, long end)
        {
            ref StridedLoop l = ref Loop;
            int last = l._rank - 1;
            long* stride = stackalloc long[MaxOperands];
            long* offset = stackalloc long[MaxOperands];
            for (int j = 0; j < l._operands; j++)
            {
                stride[j] = l._stride[j * Shape.MaxRank + last];
            }
            if (Cuts > 1)
            {
                long piece = (l._size[last] + Cuts - 1) / Cuts;
                long from = begin * piece, to = Math.Min(end * piece, l._size[last]);
                if (from >= to)
                {
                    return;   // rounding the pieces up leaves the last ones empty where there are many
                }
                for (int j = 0; j < l._operands; j++)
                {
                    offset[j] = l._base[j] + from * stride[j];
                }
                Body.Run(offset, stride, to - from);
                return;
            }
            for (long index = begin; index < end; index++)
            {
                l.Locate(index, offset);
                Body.Run(offset, stride, l._size[last]);
            }
        }
    }

    private void Locate(long index, long* offset)
    {
        for (int j = 0; j < _operands; j++)
        {
            offset[j] = _base[j];
        }
        for (int d = _rank - 2; d >= 0; d--)
        {
            long i = index % _size[d];
            index /= _size[d];
            for (int j = 0; j < _operands; j++)
            {
                offset[j] += i * _stride[j * Shape.MaxRank + d];
            }
        }
    }
}
