using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>
/// The product in blocks that fit the caches. In each block the threads first pack the operand that all of them read (the smaller one:
/// it is shared); then they claim items: a few panels of the other operand, which the thread packs for itself into memory that stays in
/// its own cache, times the shared one. The state lives on the caller's stack.
/// </summary>
internal unsafe struct GemmBlocked<S, V, TActivation, F>
    where S : struct, ISimd<V> where V : struct where TActivation : struct, IUnary where F : struct, IOperands
{
    // An item's own panels: 4 x 2W columns, or 8 tiles of rows. They stay in the second cache.
    private const long OwnPanels = 4, OwnTiles = 8;

    private GemmArgs _g;
    private bool _packA, _packB, _aIsShared, _epilogue;
    private float* _shared;                                     // packed panels of the shared operand
    private float* _scratch;                                    // the chains, where C holds the residual until the end; else null
    private long _row0, _rows, _col0, _cols, _k0, _depth;       // the current block; k in steps
    private long _steps;                                        // of the whole product
    private long _itemRows, _itemCols, _itemsAcross;            // how the current block is cut into items

    private static int TileRows => GemmBlocking.TileRows(S.Width);
    private static int TileColumns => GemmBlocking.TileColumns(S.Width);

    /// <summary>Computes the product on the pool's threads.</summary>
    public static void Run(in GemmArgs args, in GemmBlocking blocking, ComputePool pool)
    {
        long steps = F.Steps(args.K), kBlocks = Math.Max(1, CeilDiv(steps, blocking.Depth));
        long depth = RoundUp(CeilDiv(steps, kBlocks), 4);
        GemmBlocked<S, V, TActivation, F> state = default;
        state._steps = steps;
        state._g = args;
        state._epilogue = Epilogue.IsNeeded<TActivation>(args);
        state._aIsShared = args.N >= args.M;
        state.ChoosePacking(blocking.Packing);
        long rows = state._aIsShared ? RoundUp(Math.Min(args.M, blocking.Rows), TileRows) : args.M;
        long cols = state._aIsShared ? args.N : RoundUp(Math.Min(args.N, blocking.Columns), TileColumns);
        long shared = state._aIsShared ? (state._packA ? rows * depth : 0) : state._packB ? cols * depth : 0;
        bool scratch = args.Residual == args.C && args.C != null;
        long floats = RoundUp(shared, 16) + (scratch ? args.M * args.N : 0);
        NativeBuffer? block = floats > 0 ? pool.Workspace.Rent(floats * sizeof(float)) : null;
        try
        {
            state._shared = block == null ? null : block.Floats;
            state._scratch = scratch ? state._shared + RoundUp(shared, 16) : null;
            Blocks(&state, rows, cols, depth, pool);
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
        bool auto = packing == OperandPacking.Auto, always = packing == OperandPacking.Always || F.ArePacked;
        _packA = always || (auto && _g.M * _g.K > firstCache && _g.N > 4 * TileColumns);
        _packB = !_g.BIsPacked && (_g.BCol != 1 || always || (auto && _g.N * _g.K > firstCache && _g.M > 2 * TileRows));
    }

    private static void Blocks(GemmBlocked<S, V, TActivation, F>* s, long rows, long cols, long depth, ComputePool pool)
    {
        do
        {
            s->_depth = Math.Min(depth, s->_steps - s->_k0);
            for (s->_row0 = 0; s->_row0 < s->_g.M; s->_row0 += rows)
            {
                s->_rows = Math.Min(rows, s->_g.M - s->_row0);
                for (s->_col0 = 0; s->_col0 < s->_g.N; s->_col0 += cols)
                {
                    s->_cols = Math.Min(cols, s->_g.N - s->_col0);
                    s->Block(s, pool);
                }
            }
            s->_k0 += depth;
        }
        while (s->_k0 < s->_steps);
    }

    private void Block(GemmBlocked<S, V, TActivation, F>* self, ComputePool pool)
    {
        // Below some 10 microseconds of work per thread, waking the others costs more than it brings.
        bool parallel = pool.Threads > 1 && _rows * _cols * _depth >= 100_000;
        if (_aIsShared ? _packA : _packB)
        {
            long groups = _aIsShared ? CeilDiv(_rows, OwnTiles * TileRows) : CeilDiv(_cols, OwnPanels * TileColumns);
            Parallel(new PackBody { State = self }, groups, parallel, pool);
        }
        Cut(parallel ? 4 * pool.Threads : 1);
        Parallel(new ItemBody { State = self, Workspace = pool.Workspace }, CeilDiv(_rows, _itemRows) * _itemsAcross, parallel, pool);
    }

    // The shared operand is only divided where the other alone does not give every thread its items.
    private void Cut(long items)
    {
        long tiles = CeilDiv(_rows, TileRows), panels = CeilDiv(_cols, TileColumns);
        (long tilesEach, long panelsEach) = _aIsShared ? (tiles, Math.Clamp(panels / items, 1, OwnPanels)) : (Math.Clamp(tiles / items, 1, OwnTiles), panels);
        if (_aIsShared)
        {
            tilesEach = CeilDiv(tiles, Math.Clamp(items / CeilDiv(panels, panelsEach), 1, tiles));
        }
        else
        {
            panelsEach = CeilDiv(panels, Math.Clamp(items / CeilDiv(tiles, tilesEach), 1, panels));
        }
        _itemRows = tilesEach * TileRows;
        _itemCols = panelsEach * TileColumns;
        _itemsAcross = CeilDiv(_cols, _itemCols);
    }

    private static void Parallel<TBody>(TBody body, long count, bool parallel, ComputePool pool) where TBody : struct, IParallelBody
    {
        if (parallel)
        {
            pool.For(count, 1, body);
        }
        else
        {
            body.Run(0, count);
        }
    }

    private struct PackBody : IParallelBody
    {
        public GemmBlocked<S, V, TActivation, F>* State;

        public readonly void Run(long begin, long end)
        {
            if (State->_aIsShared)
            {
                long row = begin * OwnTiles * TileRows;
                State->PackRows(row, Math.Min(end * OwnTiles * TileRows, State->_rows) - row, State->_shared + row * State->_depth);
            }
            else
            {
                long col = begin * OwnPanels * TileColumns;
                State->PackColumns(col, Math.Min(end * OwnPanels * TileColumns, State->_cols) - col, State->_shared + col * State->_depth);
            }
        }
    }

    private readonly void PackRows(long row, long rows, float* to) =>
        F.Rows<S, V>(_g.A + (_row0 + row) * _g.ARow + _k0 * F.Elements * _g.ACol, _g.ARow, _g.ACol, rows, Elements, to);

    private readonly void PackColumns(long col, long cols, float* to) =>
        F.Panels<S, V>(_g.B + _k0 * F.Elements * _g.BRow + (_col0 + col) * _g.BCol, _g.BRow, _g.BCol, cols, Elements, to);

    // Values of k in the block.
    private readonly long Elements => Math.Min(_depth * F.Elements, _g.K - _k0 * F.Elements);

    private struct ItemBody : IParallelBody
    {
        public GemmBlocked<S, V, TActivation, F>* State;
        public Workspace Workspace;

        public readonly void Run(long begin, long end)
        {
            long floats = State->OwnFloats;
            NativeBuffer? own = floats > 0 ? Workspace.Rent(floats * sizeof(float)) : null;
            for (long i = begin; i < end; i++)
            {
                State->Item(i, own == null ? null : own.Floats);
            }
            if (own != null)
            {
                Workspace.Return(own);
            }
        }
    }

    private readonly bool OwnA => _packA && !_aIsShared;

    private readonly bool OwnB => _packB && _aIsShared;

    // Of columns read in place only a narrow last panel is copied.
    private readonly bool OwnEdge => !_packB && !_g.BIsPacked && _g.N % TileColumns != 0;

    private readonly long OwnFloats => ((OwnA ? _itemRows : 0) + (OwnB ? _itemCols : OwnEdge ? TileColumns : 0)) * _depth;

    private readonly void Item(long item, float* own)
    {
        long row = item / _itemsAcross * _itemRows, rows = Math.Min(_itemRows, _rows - row);
        long col = item % _itemsAcross * _itemCols, cols = Math.Min(_itemCols, _cols - col);
        float* b = own;
        if (OwnA)
        {
            PackRows(row, rows, own);
            b += _itemRows * _depth;
        }
        if (OwnB)
        {
            PackColumns(col, cols, b);
        }
        else if (OwnEdge && cols % TileColumns != 0)
        {
            PackColumns(col + cols / TileColumns * TileColumns, cols % TileColumns, b);
        }
        Tiles(row, rows, col, cols, OwnA ? own : _shared + row * _depth, OwnB || OwnEdge ? b : _shared + col * _depth);
        if (_epilogue && _k0 + _depth == _steps)
        {
            float* chains = Chains(row, col, out long chainsRow);
            Epilogue.Apply<S, V, TActivation>(_g, chains, chainsRow, _row0 + row, rows, _col0 + col, cols);
        }
    }

    // The tile of the shared operand stays in the first cache while the panels of the other pass by.
    private readonly void Tiles(long row, long rows, long col, long cols, float* a, float* b)
    {
        if (_aIsShared)
        {
            for (long i = 0; i < rows; i += TileRows)
            {
                for (long j = 0; j < cols; j += TileColumns)
                {
                    bool turns = j + TileColumns >= cols;
                    Prefetch(row + i + (turns ? TileRows : 0), turns ? col : col + j + TileColumns);
                    OneTile(row + i, Math.Min(TileRows, rows - i), col + j, Math.Min(TileColumns, cols - j), a + i * _depth, b, j);
                }
            }
            return;
        }
        for (long j = 0; j < cols; j += TileColumns)
        {
            for (long i = 0; i < rows; i += TileRows)
            {
                bool turns = i + TileRows >= rows;
                Prefetch(turns ? row : row + i + TileRows, col + j + (turns ? TileColumns : 0));
                OneTile(row + i, Math.Min(TileRows, rows - i), col + j, Math.Min(TileColumns, cols - j), a + i * _depth, b, j);
            }
        }
    }

    private readonly void OneTile(long row, long rows, long col, long cols, float* a, float* packedB, long j)
    {
        float* b = Panel(col, cols, packedB, j, out long bRow);
        float* to = Chains(row, col, out long toRow), from = to;
        long fromRow = toRow;
        if (_k0 == 0)
        {
            fromRow = _g.CRow;
            from = _g.Accumulate ? _g.C + (_row0 + row) * fromRow + _col0 + col : null;
        }
        if (_packA)
        {
            Tile.Run<S, V, F, Interleaved>(rows, cols, _depth, a, 1, TileRows, b, bRow, from, fromRow, to, toRow);
        }
        else
        {
            a = _g.A + (_row0 + row) * _g.ARow + _k0 * _g.ACol;
            Tile.Run<S, V, F, Strided>(rows, cols, _depth, a, _g.ARow, _g.ACol, b, bRow, from, fromRow, to, toRow);
        }
    }

    // The next tile would wait for its lines of C; so they are called for while this one computes.
    private readonly void Prefetch(long row, long col)
    {
        if (Sse.IsSupported)
        {
            float* c = Chains(row, col, out long stride);
            for (int r = 0; r < TileRows; r++, c += stride)
            {
                Sse.Prefetch0(c);
                Sse.Prefetch0(c + TileColumns - 1);
            }
        }
    }

    // Where the chains of a row and a column of the block are kept.
    private readonly float* Chains(long row, long col, out long stride)
    {
        stride = _scratch == null ? _g.CRow : _g.N;
        return (_scratch == null ? _g.C : _scratch) + (_row0 + row) * stride + _col0 + col;
    }

    private readonly float* Panel(long col, long cols, float* packed, long j, out long bRow)
    {
        bRow = TileColumns;
        if (_g.BIsPacked)
        {
            return _g.B + (_col0 + col) * _g.K + _k0 * TileColumns;
        }
        if (_packB)
        {
            return packed + j * _depth;
        }
        if (cols < TileColumns)
        {
            return packed;
        }
        bRow = _g.BRow;
        return _g.B + _k0 * _g.BRow + _col0 + col;
    }

    private static long CeilDiv(long a, long b) => (a + b - 1) / b;

    private static long RoundUp(long a, long b) => CeilDiv(a, b) * b;
}
