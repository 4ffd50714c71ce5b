using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>
/// The product for many rows: loops over blocks that fit the caches; in each block the threads first pack together, then compute
/// together, claiming groups of tiles in turn. The state lives on the caller's stack.
/// </summary>
internal unsafe struct GemmBlocked<S, V, TActivation>
    where S : struct, ISimd<V> where V : struct where TActivation : struct, IActivation
{
    private GemmArgs _g;
    private bool _packA, _packB, _epilogue;
    private float* _a, _b;                                      // packed panels
    private float* _scratch;                                    // the chains, where C holds the residual until the end; else null
    private long _blockCols;
    private long _row0, _rows, _col0, _cols, _k0, _depth;       // the current block
    private long _itemRows, _itemPanels, _itemsAcross;          // how the current block is cut into items

    private static int TileRows => GemmBlocking.TileRows(S.Width);
    private static int TileColumns => GemmBlocking.TileColumns(S.Width);

    /// <summary>Computes the product on the pool's threads.</summary>
    public static void Run(in GemmArgs args, in GemmBlocking blocking, ComputePool pool)
    {
        long kBlocks = Math.Max(1, CeilDiv(args.K, blocking.Depth));
        long depth = RoundUp(CeilDiv(args.K, kBlocks), 4);
        long cols = RoundUp(Math.Min(args.N, blocking.Columns), TileColumns);
        // All threads' blocks of A together are no larger than the block of B: both wait in the last cache.
        long rows = RoundUp(Math.Min(args.M, Math.Max(blocking.Columns, blocking.Rows)), TileRows);

        GemmBlocked<S, V, TActivation> state = default;
        state._g = args;
        state._blockCols = cols;
        state._epilogue = Epilogue.IsNeeded<TActivation>(args);
        state.ChoosePacking(blocking.Packing);
        long aFloats = state._packA ? rows * depth : 0;
        long bFloats = args.BIsPacked ? 0 : state._packB ? cols * depth : args.N % TileColumns != 0 ? TileColumns * depth : 0;
        bool scratch = args.Residual == args.C;
        long floats = RoundUp(aFloats, 16) + bFloats + (scratch ? args.M * cols : 0);
        NativeBuffer? block = floats > 0 ? pool.Workspace.Rent(floats * sizeof(float)) : null;
        try
        {
            state._a = block == null ? null : block.Floats;
            state._b = state._a + RoundUp(aFloats, 16);
            state._scratch = scratch ? state._b + bFloats : null;
            Blocks(&state, blocking, rows, cols, depth, pool);
        }
        finally
        {
            if (block != null)
            {
                pool.Workspace.Return(block);
            }
        }
    }

    // Reading in place pays while an operand is read few times, or stays in the first cache anyway.
    private void ChoosePacking(OperandPacking packing)
    {
        long firstCache = CpuCaches.L1 / sizeof(float);
        bool auto = packing == OperandPacking.Auto, always = packing == OperandPacking.Always;
        _packA = always || (auto && _g.M * _g.K > firstCache && _g.N > 4 * TileColumns);
        _packB = !_g.BIsPacked && (_g.BCol != 1 || always || (auto && _g.N * _g.K > firstCache && _g.M > 2 * TileRows));
    }

    private static void Blocks(GemmBlocked<S, V, TActivation>* s, in GemmBlocking blocking, long rows, long cols, long depth, ComputePool pool)
    {
        for (s->_col0 = 0; s->_col0 < s->_g.N; s->_col0 += cols)
        {
            s->_cols = Math.Min(cols, s->_g.N - s->_col0);
            s->_k0 = 0;
            do
            {
                s->_depth = Math.Min(depth, s->_g.K - s->_k0);
                for (s->_row0 = 0; s->_row0 < s->_g.M; s->_row0 += rows)
                {
                    s->_rows = Math.Min(rows, s->_g.M - s->_row0);
                    s->Block(s, blocking, pool);
                }
                s->_k0 += depth;
            }
            while (s->_k0 < s->_g.K);
        }
    }

    private void Block(GemmBlocked<S, V, TActivation>* self, in GemmBlocking blocking, ComputePool pool)
    {
        // Below some 10 microseconds of work per thread, waking the others costs more than it brings.
        bool parallel = _rows * _cols * _depth >= 100_000;
        long packs = RowPanelsToPack + ColumnPanelsToPack;
        if (packs > 0)
        {
            Parallel(new PackBody { State = self }, packs, parallel ? Math.Max(1, packs / (8 * pool.Threads)) : packs, pool);
        }
        long panels = CeilDiv(_cols, TileColumns);
        long blocksDown = CeilDiv(_rows, blocking.Rows);
        _itemRows = RoundUp(CeilDiv(_rows, blocksDown), TileRows);
        blocksDown = CeilDiv(_rows, _itemRows);
        _itemPanels = Math.Clamp(panels * blocksDown / (8 * pool.Threads), 1, 8);
        _itemsAcross = CeilDiv(panels, _itemPanels);
        long items = blocksDown * _itemsAcross;
        Parallel(new TileBody { State = self }, items, parallel ? 1 : items, pool);
    }

    private static void Parallel<TBody>(TBody body, long count, long grain, ComputePool pool) where TBody : struct, IParallelBody
    {
        if (count <= grain)
        {
            body.Run(0, count);
        }
        else
        {
            pool.For(count, grain, body);
        }
    }

    private readonly long RowPanelsToPack => _packA ? CeilDiv(_rows, TileRows) : 0;

    // Columns are packed once for all blocks of rows; of columns read in place only a narrow last panel is copied.
    private readonly long ColumnPanelsToPack =>
        _row0 > 0 || _g.BIsPacked ? 0 : _packB ? CeilDiv(_cols, TileColumns) : _cols % TileColumns != 0 ? 1 : 0;

    private struct PackBody : IParallelBody
    {
        public GemmBlocked<S, V, TActivation>* State;

        public readonly void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                State->Pack(i);
            }
        }
    }

    private readonly void Pack(long item)
    {
        if (item < RowPanelsToPack)
        {
            long row = item * TileRows;
            float* a = _g.A + (_row0 + row) * _g.ARow + _k0 * _g.ACol;
            Packing.Rows(a, _g.ARow, _g.ACol, Math.Min(TileRows, _rows - row), _depth, _a + row * _depth, TileRows);
            return;
        }
        long panel = _packB ? item - RowPanelsToPack : _cols / TileColumns;
        long col = panel * TileColumns;
        float* b = _g.B + _k0 * _g.BRow + (_col0 + col) * _g.BCol;
        Packing.Panel<S, V>(b, _g.BRow, _g.BCol, Math.Min(TileColumns, _cols - col), _depth, _packB ? _b + col * _depth : _b);
    }

    private struct TileBody : IParallelBody
    {
        public GemmBlocked<S, V, TActivation>* State;

        public readonly void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                State->Item(i);
            }
        }
    }

    // A few panels of B times the rows that fit the second cache.
    private readonly void Item(long item)
    {
        long row = item / _itemsAcross * _itemRows, rows = Math.Min(_itemRows, _rows - row);
        long col = item % _itemsAcross * _itemPanels * TileColumns, cols = Math.Min(_itemPanels * TileColumns, _cols - col);
        for (long j = col; j < col + cols; j += TileColumns)
        {
            PanelTiles(row, rows, j, Math.Min(TileColumns, _cols - j));
        }
        if (_epilogue && _k0 + _depth == _g.K)
        {
            float* chains = Chains(_row0 + row, col, out long chainsRow);
            Epilogue.Apply<S, V, TActivation>(_g, chains, chainsRow, _row0 + row, rows, _col0 + col, cols);
        }
    }

    private readonly void PanelTiles(long row, long rows, long col, long cols)
    {
        float* b = PanelOfB(col, cols, out long bRow);
        float* to = Chains(_row0, col, out long toRow), from = to;
        long fromRow = toRow;
        if (_k0 == 0)
        {
            from = _g.Accumulate ? _g.C + _row0 * _g.CRow + _col0 + col : null;
            fromRow = _g.CRow;
        }
        for (long i = row; i < row + rows; i += TileRows)
        {
            long tileRows = Math.Min(TileRows, _rows - i);
            float* source = from == null ? null : from + i * fromRow;
            Prefetch(to + (i + TileRows) * toRow, toRow, Math.Min(TileRows, row + rows - i - TileRows), cols);
            if (_packA)
            {
                Tile.Run<S, V, Interleaved>(tileRows, cols, _depth, _a + i * _depth, 1, TileRows, b, bRow,
                    source, fromRow, to + i * toRow, toRow);
            }
            else
            {
                Tile.Run<S, V, Strided>(tileRows, cols, _depth, _g.A + (_row0 + i) * _g.ARow + _k0 * _g.ACol, _g.ARow, _g.ACol, b, bRow,
                    source, fromRow, to + i * toRow, toRow);
            }
        }
    }

    // A tile would wait for its lines of C; so they are called for while the tile before it computes.
    private static void Prefetch(float* c, long row, long rows, long cols)
    {
        if (Sse.IsSupported)
        {
            for (; rows > 0; rows--, c += row)
            {
                Sse.Prefetch0(c);
                Sse.Prefetch0(c + cols - 1);
            }
        }
    }

    // Where the chains of a row and a column of the block are kept.
    private readonly float* Chains(long row, long col, out long stride)
    {
        stride = _scratch == null ? _g.CRow : _blockCols;
        return _scratch == null ? _g.C + row * stride + _col0 + col : _scratch + row * stride + col;
    }

    private readonly float* PanelOfB(long col, long cols, out long bRow)
    {
        bRow = TileColumns;
        if (_g.BIsPacked)
        {
            return _g.B + (_col0 + col) * _g.K + _k0 * TileColumns;
        }
        if (_packB)
        {
            return _b + col * _depth;
        }
        if (cols < TileColumns)
        {
            return _b;
        }
        bRow = _g.BRow;
        return _g.B + _k0 * _g.BRow + _col0 + col;
    }

    private static long CeilDiv(long a, long b) => (a + b - 1) / b;

    private static long RoundUp(long a, long b) => CeilDiv(a, b) * b;
}
