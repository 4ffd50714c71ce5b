namespace Banyan.Cpu;

/// <summary>
/// The forward pass (FlashAttention-2, Dao 2023): a work item is one tile of rows of one (sequence, key/value head). It walks the key blocks
/// in order and keeps the running maximum, sum and output of its rows, so memory does not grow with the length.
/// </summary>
internal unsafe struct AttentionForward<S, V>(AttentionArgs<float>* args, AttentionWorkspace workspace, long* tileStarts) : IParallelBody
    where S : struct, ISimd<V> where V : struct
{
    // So few rows (a decoding step has one for each head of a group) read keys once: from where they lie.
    private const int DirectRows = 2;

    private AttentionProblem _problem;
    private ForwardScratch _scratch;
    private long _row;       // first row of the tile
    private int _rows;
    private long _keyStart;  // first key of the block
    private int _keys;
    private TileProduct.Right _values;

    /// <summary>Work items of a call; fills the table of where each segment's begin (segments + 1 entries).</summary>
    public static long CountTiles(AttentionArgs<float>* args, long* tileStarts)
    {
        long total = 0;
        for (int i = 0; i < args->SegmentCount; i++)
        {
            tileStarts[i] = total;
            total += AttentionTile.Count(args->Segments[i].QLength * args->GroupSize) * args->KvHeads;
        }
        tileStarts[args->SegmentCount] = total;
        return total;
    }

    public void Run(long begin, long end)
    {
        int slot = workspace.Take();
        ScratchCursor cursor = new(workspace.Slot(slot));
        _scratch = new ForwardScratch(args, ref cursor);
        for (long item = begin; item < end; item++)
        {
            Tile(item);
        }
        workspace.Return(slot);
    }

    private void Tile(long item)
    {
        int segment = AttentionTile.Find(tileStarts, args->SegmentCount, item);
        long local = item - tileStarts[segment], tiles = (tileStarts[segment + 1] - tileStarts[segment]) / args->KvHeads;
        _problem = new AttentionProblem(args, segment, (int)(local / tiles));
        // Last tiles first: under a causal mask they are the longest, and the short ones fill the gaps at the end.
        _row = (tiles - 1 - local % tiles) * AttentionTile.Rows;
        _rows = (int)Math.Min(AttentionTile.Rows, _problem.RowCount - _row);
        Start();
        KeyRange visible = _problem.Visible(_row, _row + _rows);
        for (_keyStart = visible.Begin / AttentionTile.Keys * AttentionTile.Keys; _keyStart < visible.End; _keyStart += AttentionTile.Keys)
        {
            Block();
        }
        Finish();
    }

    // A sink is a key with score s and no value: it opens the row's maximum and sum.
    private readonly void Start()
    {
        new Span<float>(_scratch.Lanes, AttentionTile.Rows * AttentionTile.Lanes).Clear();
        new Span<float>(_scratch.Output, _rows * _scratch.ValueStride).Clear();
        for (int r = 0; r < _rows; r++)
        {
            TilePacking.CopyRow<S, V>(args->Q + _problem.Offset(_row + r, args->QTokenStride, args->QHeadStride), args->HeadDim, (float)args->Scale,
                _scratch.Query + r * _scratch.KeyStride, args->HeadDim);
            _scratch.Maximum[r] = args->Sinks == null ? float.NegativeInfinity : args->Sinks[_problem.Head(_row + r)];
            _scratch.Lanes[r * AttentionTile.Lanes] = float.IsNegativeInfinity(_scratch.Maximum[r]) ? 0 : 1;
        }
    }

    private void Block()
    {
        _keys = (int)Math.Min(AttentionTile.Keys, _problem.Segment->KLength - _keyStart);
        if (_rows > DirectRows)
        {
            TilePacking.Transpose(_problem.Key(_keyStart), _problem.KStride, _keys, args->HeadDim, _scratch.Keys, TileProduct.PanelWidth<S, V>());
        }
        _values = LoadValues();
        for (int r = 0; r < _rows; r += AttentionTile.Strip)
        {
            Strip(r, Math.Min(AttentionTile.Strip, _rows - r));
        }
    }

    // A decoding step reads each value once: from where it lies. A tile reads it many times: from a copy without cache conflicts.
    private readonly TileProduct.Right LoadValues()
    {
        int width = TileProduct.PanelWidth<S, V>();
        if (_rows <= TileProduct.PanelRows && args->ValueDim % width == 0)
        {
            return new TileProduct.Right(_problem.Value(_keyStart), width, _problem.VStride);
        }
        TilePacking.CopyRows<S, V>(_problem.Value(_keyStart), _problem.VStride, _keys, args->ValueDim, 1, _scratch.Values,
            _scratch.ValueStride, AttentionTile.Padded(args->ValueDim));
        return new TileProduct.Right(_scratch.Values, width, _scratch.ValueStride);
    }

    private readonly void Strip(int first, int rows)
    {
        (int begin, int end) = AttentionTile.Columns(_problem.Visible(_row + first, _row + first + rows), _keyStart);
        if (begin == end)
        {
            return;
        }
        Scores(first, rows, begin, end);
        for (int r = 0; r < rows; r++)
        {
            Weights(first + r, _scratch.Scores + r * AttentionTile.ScoreStride, begin, end);
        }
        TileProduct.Left p = new(_scratch.Scores + begin, AttentionTile.ScoreStride, 1);
        TileProduct.Right v = new(_values.Data + begin * _values.Depth, _values.Panel, _values.Depth);
        TileProduct.Multiply<S, V>(rows, args->ValueDim, Math.Min(end, _keys) - begin, p, v,
            _scratch.Output + first * _scratch.ValueStride, _scratch.ValueStride, accumulate: true);
    }

    private readonly void Scores(int first, int rows, int begin, int end)
    {
        if (_rows <= DirectRows)
        {
            for (int r = first; r < first + rows; r++)
            {
                DirectScores.Row<S, V>(_scratch.Query + r * _scratch.KeyStride, _problem.Key(_keyStart + begin), _problem.KStride, args->HeadDim, Math.Min(end, _keys) - begin, _scratch.Scores + (r - first) * AttentionTile.ScoreStride + begin);
            }
            return;
        }
        int width = TileProduct.PanelWidth<S, V>(), depth = args->HeadDim;
        TileProduct.Left q = new(_scratch.Query + first * _scratch.KeyStride, _scratch.KeyStride, 1);
        // Panel begin / width starts begin * depth elements in.
        TileProduct.Right k = new(_scratch.Keys + begin * depth, (nint)width * depth, width);
        TileProduct.Multiply<S, V>(rows, Math.Min(end, _keys) - begin, depth, q, k, _scratch.Scores + begin, AttentionTile.ScoreStride, accumulate: false);
    }

    private readonly void Weights(int r, float* s, int begin, int end)
    {
        new ScoreRow(_problem, _row + r, _keyStart, begin, end).Apply<S, V>(s, null);
        SoftmaxRow.Update<S, V>(s, begin, end, _scratch.Maximum + r, _scratch.Lanes + r * AttentionTile.Lanes,
            _scratch.Output + r * _scratch.ValueStride, AttentionTile.Padded(args->ValueDim));
        if (args->Dropout != 0)
        {
            AttentionDropout.Of(_problem, _row + r).Apply(s, _keyStart, begin, Math.Min(end, _keys));
        }
    }

    private readonly void Finish()
    {
        for (int r = 0; r < _rows; r++)
        {
            float sum = SoftmaxRow.Sum(_scratch.Lanes + r * AttentionTile.Lanes);
            float* source = _scratch.Output + r * _scratch.ValueStride;
            float* target = args->O + _problem.Offset(_row + r, args->OTokenStride, args->OHeadStride);
            // A row that sees no key has output 0, which 0 / 1 keeps.
            Divide(source, sum == 0 ? 1 : sum, target, args->ValueDim);
            if (args->RowMax != null)
            {
                nint place = _problem.StatIndex(_row + r);
                (args->RowMax[place], args->RowSum[place]) = (_scratch.Maximum[r], sum);
            }
        }
    }

    private static void Divide(float* source, float divisor, float* target, int count)
    {
        int j = 0;
        for (V d = S.Splat(divisor); j + S.Width <= count; j += S.Width)
        {
            S.Store(target + j, S.Div(S.Load(source + j), d));
        }
        for (; j < count; j++)
        {
            target[j] = source[j] / divisor;
        }
    }
}

/// <summary>What one thread of the forward pass holds: about 250 KiB at D = 128, whatever the length.</summary>
internal readonly unsafe struct ForwardScratch
{
    public readonly int KeyStride, ValueStride;
    public readonly float* Query, Output, Keys, Values, Scores, Maximum, Lanes;

    public ForwardScratch(AttentionArgs<float>* args, ref ScratchCursor cursor)
    {
        KeyStride = AttentionTile.RowStride(args->HeadDim);
        ValueStride = AttentionTile.RowStride(args->ValueDim);
        Query = cursor.Floats(AttentionTile.Rows * KeyStride);
        Output = cursor.Floats(AttentionTile.Rows * ValueStride);
        Keys = cursor.Floats(AttentionTile.Keys * args->HeadDim);
        Values = cursor.Floats(AttentionTile.Keys * ValueStride);
        Scores = cursor.Floats(AttentionTile.Strip * AttentionTile.ScoreStride);
        Maximum = cursor.Floats(AttentionTile.Rows);
        Lanes = cursor.Floats(AttentionTile.Rows * AttentionTile.Lanes);
    }
}
