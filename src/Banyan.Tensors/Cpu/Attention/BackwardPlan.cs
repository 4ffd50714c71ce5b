namespace Banyan.Cpu;

/// <summary>What the threads of a backward pass share, laid out in a workspace: work items, progress of dq, and delta.</summary>
internal readonly unsafe struct BackwardPlan
{
    private readonly AttentionArgs<float>* _args;
    private readonly long* _progressStarts;
    private readonly int* _progress;

    /// <summary>First work item of each segment; the last entry is their number.</summary>
    public readonly long* ItemStarts;

    /// <summary>[H, Tokens]: the sum of dO * O over a row.</summary>
    public readonly float* Delta;

    /// <summary>[H, 2 * RelativeSpan + 1]: the gradient of the relative bias, in float64 since many terms meet.</summary>
    public readonly double* RelativeTable;

    public BackwardPlan(AttentionArgs<float>* args, bool wantsTable, ref ScratchCursor cursor)
    {
        _args = args;
        ItemStarts = (long*)cursor.Floats(2 * (args->SegmentCount + 1));
        _progressStarts = (long*)cursor.Floats(2 * (args->SegmentCount + 1));
        Delta = cursor.Floats(checked((nint)(args->Heads * args->Tokens)));
        RelativeTable = wantsTable ? (double*)cursor.Floats((nint)2 * args->Heads * (2 * args->RelativeSpan + 1)) : null;
        _progress = (int*)cursor.Floats(checked((nint)ProgressCount(args)));
    }

    public long Items => ItemStarts[_args->SegmentCount];

    public int* Progress(int segment, int head) => _progress + _progressStarts[segment] + head * RowTiles(_args->Segments + segment);

    private long RowTiles(AttentionSegment<float>* segment) => (segment->QLength * _args->GroupSize + BackwardScratch.Rows - 1) / BackwardScratch.Rows;

    /// <summary>Fills the tables.</summary>
    public void Fill()
    {
        long items = 0, tiles = 0;
        for (int i = 0; i < _args->SegmentCount; i++)
        {
            (ItemStarts[i], _progressStarts[i]) = (items, tiles);
            items += AttentionTile.Count(_args->Segments[i].KLength) * _args->KvHeads;
            tiles += RowTiles(_args->Segments + i) * _args->KvHeads;
        }
        ItemStarts[_args->SegmentCount] = items;
        new Span<int>(_progress, checked((int)tiles)).Clear();
    }

    public int SegmentOf(long item) => AttentionTile.Find(ItemStarts, _args->SegmentCount, item);

    private static long ProgressCount(AttentionArgs<float>* args)
    {
        long tiles = 0;
        for (int i = 0; i < args->SegmentCount; i++)
        {
            tiles += (args->Segments[i].QLength * args->GroupSize + BackwardScratch.Rows - 1) / BackwardScratch.Rows * args->KvHeads;
        }
        return tiles;
    }
}

/// <summary>
/// Prepares the backward pass: delta of every row, and dq = 0. An item is one query of one segment. Each delta is one fma chain, as the
/// elements of dP are: where a weight is 1, dP - delta is then exactly 0.
/// </summary>
internal readonly unsafe struct BackwardPreparation(AttentionArgs<float>* args, AttentionGradients<float>* gradients, int segment, float* delta) : IParallelBody
{
    public void Run(long begin, long end)
    {
        AttentionArgs<float>* a = args;
        AttentionGradients<float>* g = gradients;
        for (nint token = (nint)(a->Segments[segment].QStart + begin), last = token + (nint)(end - begin); token < last; token++)
        {
            float* o = a->O + token * a->OTokenStride, dout = g->DO + token * g->DOTokenStride, target = delta + token;
            int head = 0;
            for (; head + 4 <= a->Heads; head += 4)
            {
                FourHeads(o + head * a->OHeadStride, dout + head * g->DOHeadStride, target + head * (nint)a->Tokens);
            }
            for (; head < a->Heads; head++)
            {
                target[head * (nint)a->Tokens] = OneHead(o + head * a->OHeadStride, dout + head * g->DOHeadStride, a->ValueDim);
            }
            for (head = 0; g->DQ != null && head < a->Heads; head++)
            {
                new Span<float>(g->DQ + token * g->DQTokenStride + head * g->DQHeadStride, a->HeadDim).Clear();
            }
        }
    }

    // Four chains at once hide the latency of each.
    private void FourHeads(float* o, float* dout, float* target)
    {
        nint so = args->OHeadStride, sd = gradients->DOHeadStride, tokens = (nint)args->Tokens;
        float d0 = 0, d1 = 0, d2 = 0, d3 = 0;
        for (int i = 0; i < args->ValueDim; i++)
        {
            d0 = MathF.FusedMultiplyAdd(dout[i], o[i], d0);
            d1 = MathF.FusedMultiplyAdd(dout[sd + i], o[so + i], d1);
            d2 = MathF.FusedMultiplyAdd(dout[2 * sd + i], o[2 * so + i], d2);
            d3 = MathF.FusedMultiplyAdd(dout[3 * sd + i], o[3 * so + i], d3);
        }
        (target[0], target[tokens], target[2 * tokens], target[3 * tokens]) = (d0, d1, d2, d3);
    }

    private static float OneHead(float* o, float* dout, int dim)
    {
        float sum = 0;
        for (int i = 0; i < dim; i++)
        {
            sum = MathF.FusedMultiplyAdd(dout[i], o[i], sum);
        }
        return sum;
    }
}
