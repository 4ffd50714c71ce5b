namespace Banyan.Cpu;

/// <summary>
/// dq, dk, dv: a work item is one block of keys of one (sequence, key/value head). It walks the rows in order, so dk and dv are sums in its
/// scratch; what it owes to dq it adds when the blocks before it have added theirs. Items are claimed in order and blocks of one head wait for
/// earlier ones only, so there is no deadlock, and every sum has one order.
/// </summary>
internal unsafe struct AttentionBackward<S, V>(AttentionArgs<float>* args, AttentionGradients<float>* gradients, AttentionWorkspace workspace,
    BackwardPlan plan) : IParallelBody where S : struct, ISimd<V> where V : struct
{
    private BackwardTile<S, V> _tile;

    public void Run(long begin, long end)
    {
        int slot = workspace.Take();
        _tile = new BackwardTile<S, V>(args, gradients, plan.Delta, workspace.Slot(slot));
        for (long item = begin; item < end; item++)
        {
            Block(item);
        }
        workspace.Return(slot);
    }

    // Heads run fastest: neighbouring items then seldom wait for each other.
    private void Block(long item)
    {
        int segment = plan.SegmentOf(item);
        long local = item - plan.ItemStarts[segment], block = local / args->KvHeads;
        int head = (int)(local % args->KvHeads);
        _tile.LoadKeys(new AttentionProblem(args, segment, head), block * AttentionTile.Keys);
        new Span<float>(_tile.Scratch.DK, AttentionTile.Keys * _tile.Scratch.KeyStride).Clear();
        new Span<float>(_tile.Scratch.DV, AttentionTile.Keys * _tile.Scratch.ValueStride).Clear();
        long rows = _tile.Problem.RowCount;
        int* progress = plan.Progress(segment, head);
        for (long row = 0; row < rows; row += BackwardScratch.Rows, progress++)
        {
            int count = (int)Math.Min(BackwardScratch.Rows, rows - row);
            KeyRange visible = _tile.Problem.Visible(row, row + count);
            if (visible.Begin < visible.End && visible.Begin / AttentionTile.Keys <= block && block <= (visible.End - 1) / AttentionTile.Keys)
            {
                Rows(row, count, progress, (int)(block - visible.Begin / AttentionTile.Keys));
            }
        }
        Finish();
    }

    private void Rows(long row, int count, int* progress, int turn)
    {
        _tile.LoadRows(row, count);
        for (int first = 0; first < count; first += AttentionTile.Strip)
        {
            int rows = Math.Min(AttentionTile.Strip, count - first);
            (int begin, int end) = _tile.Strip(first, rows, throughCap: true);
            QueryGradient(first, rows, begin, end);
        }
        BackwardScratch s = _tile.Scratch;
        KeyGradient(s.P, s.DO, s.ValueStride, args->ValueDim, s.DV);
        KeyGradient(s.DS, s.Query, s.KeyStride, args->HeadDim, s.DK);
        SpinWait spin = default;
        while (Volatile.Read(ref *progress) != turn)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
        if (gradients->DQ != null)
        {
            AddToQueries();
        }
        Volatile.Write(ref *progress, turn + 1);
    }

    // dS K of this block.
    private readonly void QueryGradient(int first, int rows, int begin, int end)
    {
        BackwardScratch s = _tile.Scratch;
        TileProduct.Left ds = new(s.DS + first * AttentionTile.ScoreStride + begin, AttentionTile.ScoreStride, 1);
        TileProduct.Right k = new(s.KeyRows + begin * s.KeyStride, TileProduct.PanelWidth<S, V>(), s.KeyStride);
        TileProduct.Multiply<S, V>(rows, args->HeadDim, Math.Min(end, _tile.Keys) - begin, ds, k, s.DQ + first * s.KeyStride, s.KeyStride, accumulate: false);
    }

    // P^T dO, or dS^T (scale q): the transpose is a matter of strides.
    private readonly void KeyGradient(float* weights, float* rows, int stride, int dim, float* target)
    {
        TileProduct.Left left = new(weights, 1, AttentionTile.ScoreStride);
        TileProduct.Right right = new(rows, TileProduct.PanelWidth<S, V>(), stride);
        TileProduct.Multiply<S, V>(_tile.Keys, dim, _tile.Rows, left, right, target, stride, accumulate: true);
    }

    private readonly void AddToQueries()
    {
        V scale = S.Splat((float)args->Scale);
        for (int r = 0; r < _tile.Rows; r++)
        {
            float* source = _tile.Scratch.DQ + r * _tile.Scratch.KeyStride;
            float* target = gradients->DQ + _tile.Problem.Offset(_tile.Row + r, gradients->DQTokenStride, gradients->DQHeadStride);
            int i = 0;
            for (; i + S.Width <= args->HeadDim; i += S.Width)
            {
                S.Store(target + i, S.Fma(S.Load(source + i), scale, S.Load(target + i)));
            }
            for (; i < args->HeadDim; i++)
            {
                target[i] = MathF.FusedMultiplyAdd(source[i], (float)args->Scale, target[i]);
            }
        }
    }

    private readonly void Finish()
    {
        AttentionSegment<float>* s = _tile.Problem.Segment;
        nint token = (nint)(s->KStart + _tile.KeyStart);
        int head = _tile.Problem.KvHead;
        if (gradients->DK != null && s->K == null)
        {
            Store(_tile.Scratch.DK, _tile.Scratch.KeyStride, args->HeadDim,
                gradients->DK + token * gradients->DKTokenStride + head * gradients->DKHeadStride, gradients->DKTokenStride);
        }
        if (gradients->DV != null && s->V == null)
        {
            Store(_tile.Scratch.DV, _tile.Scratch.ValueStride, args->ValueDim,
                gradients->DV + token * gradients->DVTokenStride + head * gradients->DVHeadStride, gradients->DVTokenStride);
        }
    }

    private readonly void Store(float* source, int sourceStride, int dim, float* target, nint targetStride)
    {
        for (int r = 0; r < _tile.Keys; r++)
        {
            new Span<float>(source + r * sourceStride, dim).CopyTo(new Span<float>(target + r * targetStride, dim));
        }
    }
}
