namespace Banyan.Cpu;

/// <summary>
/// One tile of the backward pass: rows against a block of keys. With P the weights, recomputed from the rows' maximum and sum, and
/// delta = sum of dO * O over a row: dP = dO V^T, dS = P (dP - delta). Dropout multiplies P and dP.
/// </summary>
internal unsafe struct BackwardTile<S, V> where S : struct, ISimd<V> where V : struct
{
    private readonly AttentionArgs<float>* _args;
    private readonly AttentionGradients<float>* _gradients;
    private readonly float* _delta;
    public readonly BackwardScratch Scratch;
    public AttentionProblem Problem;
    public long KeyStart, Row;
    public int Keys, Rows;

    public BackwardTile(AttentionArgs<float>* args, AttentionGradients<float>* gradients, float* delta, byte* memory)
    {
        _args = args;
        _gradients = gradients;
        _delta = delta;
        ScratchCursor cursor = new(memory);
        Scratch = new BackwardScratch(args, ref cursor);
    }

    /// <summary>The block of keys that starts at <paramref name="keyStart"/>.</summary>
    public void LoadKeys(in AttentionProblem problem, long keyStart)
    {
        (Problem, KeyStart) = (problem, keyStart);
        Keys = (int)Math.Min(AttentionTile.Keys, problem.Segment->KLength - keyStart);
        int width = TileProduct.PanelWidth<S, V>(), keyDim = _args->HeadDim;
        TilePacking.Transpose(problem.Key(keyStart), problem.KStride, Keys, keyDim, Scratch.Keys, width);
        TilePacking.Transpose(problem.Value(keyStart), problem.VStride, Keys, _args->ValueDim, Scratch.Values, width);
        TilePacking.CopyRows<S, V>(problem.Key(keyStart), problem.KStride, Keys, keyDim, 1, Scratch.KeyRows, Scratch.KeyStride, AttentionTile.Padded(keyDim));
    }

    /// <summary>The rows <c>[row, row + rows)</c>: q times the scale, and dO.</summary>
    public void LoadRows(long row, int rows)
    {
        (Row, Rows) = (row, rows);
        for (int r = 0; r < rows; r++)
        {
            TilePacking.CopyRow<S, V>(_args->Q + Problem.Offset(row + r, _args->QTokenStride, _args->QHeadStride), _args->HeadDim, (float)_args->Scale,
                Scratch.Query + r * Scratch.KeyStride, AttentionTile.Padded(_args->HeadDim));
            TilePacking.CopyRow<S, V>(_gradients->DO + Problem.Offset(row + r, _gradients->DOTokenStride, _gradients->DOHeadStride), _args->ValueDim, 1,
                Scratch.DO + r * Scratch.ValueStride, AttentionTile.Padded(_args->ValueDim));
        }
    }

    /// <summary>
    /// P and dS of the strip of rows that starts at <paramref name="first"/>; returns its columns that are not all 0. The derivative of the
    /// soft-cap is in dS where <paramref name="throughCap"/> is set: the products want it, biases do not.
    /// </summary>
    public readonly (int Begin, int End) Strip(int first, int rows, bool throughCap)
    {
        (int begin, int end) = AttentionTile.Columns(Problem.Visible(Row + first, Row + first + rows), KeyStart);
        nint place = first * AttentionTile.ScoreStride;
        float* p = Scratch.P + place, ds = Scratch.DS + place;
        if (begin < end)
        {
            Product(rows, begin, end, Scratch.Query + first * Scratch.KeyStride, Scratch.KeyStride, Scratch.Keys, _args->HeadDim, p);
            Product(rows, begin, end, Scratch.DO + first * Scratch.ValueStride, Scratch.ValueStride, Scratch.Values, _args->ValueDim, ds);
        }
        for (int r = 0; r < rows; r++, p += AttentionTile.ScoreStride, ds += AttentionTile.ScoreStride)
        {
            if (begin < end)
            {
                Weights(Row + first + r, p, ds, begin, end, throughCap);
            }
            ClearOutside(p, begin, end);
            ClearOutside(ds, begin, end);
        }
        return (begin, end);
    }

    private readonly void Product(int rows, int begin, int end, float* left, int stride, float* panels, int depth, float* target)
    {
        int width = TileProduct.PanelWidth<S, V>();
        TileProduct.Multiply<S, V>(rows, Math.Min(end, Keys) - begin, depth, new TileProduct.Left(left, stride, 1),
            new TileProduct.Right(panels + begin * depth, (nint)width * depth, width), target + begin, AttentionTile.ScoreStride, accumulate: false);
    }

    private readonly void Weights(long row, float* p, float* ds, int begin, int end, bool throughCap)
    {
        bool capped = throughCap && _args->SoftCap != 0;
        new ScoreRow(Problem, row, KeyStart, begin, end).Apply<S, V>(p, capped ? Scratch.Slopes : null);
        nint place = Problem.StatIndex(row);
        float sum = _args->RowSum[place];
        V shift = S.Splat(SoftmaxRow.Shift(_args->RowMax[place])), inverse = S.Splat(sum == 0 ? 1 : 1 / sum), delta = S.Splat(_delta[place]);
        for (int j = begin; j < end; j += S.Width)
        {
            S.Store(p + j, S.Mul(VectorMath.ExpNonPositive<S, V>(S.Sub(S.Load(p + j), shift)), inverse));
        }
        if (_args->Dropout != 0)
        {
            Dropped(AttentionDropout.Of(Problem, row), p, ds, KeyStart, begin, Math.Min(end, Keys), _delta[place]);
        }
        else
        {
            for (int j = begin; j < end; j += S.Width)
            {
                S.Store(ds + j, S.Mul(S.Load(p + j), S.Sub(S.Load(ds + j), delta)));
            }
        }
        for (int j = begin; capped && j < end; j += S.Width)
        {
            S.Store(ds + j, S.Mul(S.Load(ds + j), S.Load(Scratch.Slopes + j)));
        }
        // Columns past the last key: 0 times whatever lies there.
        for (int j = Math.Min(end, Keys); j < end; j++)
        {
            (p[j], ds[j]) = (0, 0);
        }
    }

    private static void Dropped(in AttentionDropout dropout, float* p, float* ds, long keyStart, int begin, int end, float delta)
    {
        for (int j = begin; j < end; j++)
        {
            float kept = dropout.Keeps(keyStart + j) ? dropout.Growth : 0;
            ds[j] = p[j] * (ds[j] * kept - delta);
            p[j] *= kept;
        }
    }

    private static void ClearOutside(float* x, int begin, int end)
    {
        new Span<float>(x, begin).Clear();
        new Span<float>(x + end, AttentionTile.Keys - end).Clear();
    }
}

/// <summary>What one thread of the backward pass holds: about 400 KiB at D = 128, whatever the length.</summary>
internal readonly unsafe struct BackwardScratch
{
    /// <summary>Rows in a tile of the backward pass.</summary>
    public const int Rows = 48;

    public readonly int KeyStride, ValueStride;

    /// <summary>Keys and values transposed into panels; keys as rows.</summary>
    public readonly float* Keys, Values, KeyRows;

    /// <summary>Of the tile's rows.</summary>
    public readonly float* Query, DO, DQ, P, DS, Slopes;

    /// <summary>Sums of the block of keys.</summary>
    public readonly float* DK, DV;

    public BackwardScratch(AttentionArgs<float>* args, ref ScratchCursor cursor)
    {
        KeyStride = AttentionTile.RowStride(args->HeadDim);
        ValueStride = AttentionTile.RowStride(args->ValueDim);
        Keys = cursor.Floats(AttentionTile.Keys * args->HeadDim);
        Values = cursor.Floats(AttentionTile.Keys * args->ValueDim);
        KeyRows = cursor.Floats(AttentionTile.Keys * KeyStride);
        Query = cursor.Floats(Rows * KeyStride);
        DO = cursor.Floats(Rows * ValueStride);
        DQ = cursor.Floats(Rows * KeyStride);
        P = cursor.Floats(Rows * AttentionTile.ScoreStride);
        DS = cursor.Floats(Rows * AttentionTile.ScoreStride);
        Slopes = cursor.Floats(AttentionTile.ScoreStride);
        DK = cursor.Floats(AttentionTile.Keys * KeyStride);
        DV = cursor.Floats(AttentionTile.Keys * ValueStride);
    }
}
