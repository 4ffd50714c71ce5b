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

/// <summary>Prepares the backward pass: delta of every row, and dq = 0. An item is one query of one segment.</summary>
internal readonly unsafe struct BackwardPreparation<S, V>(AttentionArgs<float>* args, AttentionGradients<float>* gradients, int segment, float* delta)
    : IParallelBody where S : struct, ISimd<V> where V : struct
{
    public void Run(long begin, long end)
    {
        AttentionArgs<float>* a = args;
        AttentionGradients<float>* g = gradients;
        for (long token = a->Segments[segment].QStart + begin, last = token + end - begin; token < last; token++)
        {
            for (int head = 0; head < a->Heads; head++)
            {
                delta[head * a->Tokens + token] = SoftmaxRow.Dot<S, V>(g->DO + (nint)token * g->DOTokenStride + head * g->DOHeadStride,
                    a->O + (nint)token * a->OTokenStride + head * a->OHeadStride, a->ValueDim);
                if (g->DQ != null)
                {
                    new Span<float>(g->DQ + (nint)token * g->DQTokenStride + head * g->DQHeadStride, a->HeadDim).Clear();
                }
            }
        }
    }
}
