namespace Banyan.Cpu;

/// <summary>
/// The gradients of the additive bias and of the relative bias: dS, summed over whatever the bias was broadcast over. Each element of the bias
/// belongs to one work item, which meets its terms in one order; dS is computed anew.
/// </summary>
/// <remarks>An item is a run of queries (of every sequence and head) for the additive bias, a key/value head for the relative one.</remarks>
internal unsafe struct BiasGradient<S, V>(AttentionArgs<float>* args, AttentionGradients<float>* gradients, AttentionWorkspace workspace,
    BackwardPlan plan, bool isRelative) : IParallelBody where S : struct, ISimd<V> where V : struct
{
    private BackwardTile<S, V> _tile;

    /// <summary>Queries in an item: all of them where the bias is broadcast over queries.</summary>
    public static long QueriesPerItem(AttentionArgs<float>* args) =>
        args->BiasQueryStride == 0 ? long.MaxValue : Math.Max(1, BackwardScratch.Rows / args->GroupSize);

    public void Run(long begin, long end)
    {
        int slot = workspace.Take();
        _tile = new BackwardTile<S, V>(args, gradients, plan.Delta, workspace.Slot(slot));
        for (long item = begin; item < end; item++)
        {
            if (isRelative)
            {
                Head((int)item, 0, long.MaxValue);
                continue;
            }
            long queries = QueriesPerItem(args), first = item == 0 ? 0 : item * queries;
            for (int head = 0; head < args->KvHeads; head++)
            {
                Head(head, first, queries);
            }
        }
        workspace.Return(slot);
    }

    private void Head(int head, long firstQuery, long queries)
    {
        for (int segment = 0; segment < args->SegmentCount; segment++)
        {
            AttentionProblem problem = new(args, segment, head);
            long last = Math.Min(problem.Segment->QLength - firstQuery, queries) + firstQuery;
            for (long row = firstQuery * problem.Group; row < last * problem.Group; row += BackwardScratch.Rows)
            {
                Rows(problem, row, (int)Math.Min(BackwardScratch.Rows, last * problem.Group - row));
            }
        }
    }

    private void Rows(in AttentionProblem problem, long row, int count)
    {
        KeyRange visible = problem.Visible(row, row + count);
        for (long key = visible.Begin / AttentionTile.Keys * AttentionTile.Keys; key < visible.End; key += AttentionTile.Keys)
        {
            _tile.LoadKeys(problem, key);
            _tile.LoadRows(row, count);
            for (int first = 0; first < count; first += AttentionTile.Strip)
            {
                int rows = Math.Min(AttentionTile.Strip, count - first);
                (int begin, int end) = _tile.Strip(first, rows, throughCap: false);
                for (int r = first; r < first + rows && begin < end; r++)
                {
                    double* table = isRelative ? plan.RelativeTable + (nint)problem.Head(row + r) * (2 * args->RelativeSpan + 1) : null;
                    new ScoreRow(problem, row + r, key, begin, end).AddGradients<S, V>(_tile.Scratch.DS + r * AttentionTile.ScoreStride, table,
                        isRelative ? null : gradients->DBias);
                }
            }
        }
    }
}

/// <summary>The gradient of the sinks: -(weight of the sink) * delta, summed over the rows in order. An item is a head.</summary>
internal readonly unsafe struct SinkGradient(AttentionArgs<float>* args, float* sinks, float* delta) : IParallelBody
{
    public void Run(long begin, long end)
    {
        for (long head = begin; head < end; head++)
        {
            double sum = 0;
            for (int i = 0; i < args->SegmentCount; i++)
            {
                long first = head * args->Tokens + args->Segments[i].QStart;
                for (long at = first; at < first + args->Segments[i].QLength; at++)
                {
                    sum -= args->RowSum[at] == 0 ? 0 : Math.Exp((double)args->Sinks[head] - args->RowMax[at]) / args->RowSum[at] * delta[at];
                }
            }
            sinks[head] += (float)sum;
        }
    }
}
