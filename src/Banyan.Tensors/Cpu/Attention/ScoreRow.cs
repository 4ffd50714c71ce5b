namespace Banyan.Cpu;

/// <summary>
/// Turns one row of scale * q k^T, for the columns <c>[begin, end)</c> of a key block, into scores: soft-cap, ALiBi, relative bias, additive
/// bias, then -inf where the window or a mask hides the key.
/// </summary>
internal readonly unsafe struct ScoreRow
{
    private readonly AttentionProblem _problem;
    private readonly long _row;
    private readonly long _keyStart;
    private readonly int _begin, _end;     // computed columns, whole chunks
    private readonly int _first, _last;    // columns inside the window

    public ScoreRow(in AttentionProblem problem, long row, long keyStart, int begin, int end)
    {
        KeyRange range = problem.Visible(row);
        _problem = problem;
        _row = row;
        _keyStart = keyStart;
        (_begin, _end) = (begin, end);
        _first = (int)Math.Clamp(range.Begin - keyStart, begin, end);
        _last = (int)Math.Clamp(range.End - keyStart, _first, end);
    }

    private long Query => _problem.Query(_row);

    private int Head => _problem.Head(_row);

    /// <summary>Key position - query position of column 0.</summary>
    private long Distance => _keyStart - Query - _problem.Segment->Offset;

    /// <summary>Shapes and masks the scores. Where there is a soft-cap, <paramref name="slopes"/> (may be null) receives its derivative.</summary>
    public void Apply<S, V>(float* s, float* slopes) where S : struct, ISimd<V> where V : struct
    {
        AttentionArgs<float>* args = _problem.Args;
        if (args->ShapesScores)
        {
            Shape<S, V>(args, s, slopes);
        }
        new Span<float>(s + _begin, _first - _begin).Fill(float.NegativeInfinity);
        new Span<float>(s + _last, _end - _last).Fill(float.NegativeInfinity);
        if (_problem.Segment->KeyMask != null)
        {
            Hide(s, _problem.Segment->KeyMask + _keyStart, 1);
        }
        if (args->Mask != null)
        {
            Hide(s, args->Mask + Place(args->MaskSegmentStride, args->MaskHeadStride, args->MaskQueryStride, args->MaskKeyStride),
                args->MaskKeyStride);
        }
    }

    private void Shape<S, V>(AttentionArgs<float>* args, float* s, float* slopes) where S : struct, ISimd<V> where V : struct
    {
        if (args->SoftCap != 0)
        {
            SoftCap<S, V>(s, (float)args->SoftCap, slopes);
        }
        if (args->AlibiSlopes != null)
        {
            Alibi<S, V>(s, args->AlibiSlopes[Head]);
        }
        if (args->RelativeBias != null)
        {
            RelativeBias<S, V>(s, args->RelativeBias + (nint)Head * (2 * args->RelativeSpan + 1), args->RelativeSpan);
        }
        if (args->Bias != null)
        {
            AddBias<S, V>(s, args->Bias + BiasPlace(args), args->BiasKeyStride);
        }
    }

    private void SoftCap<S, V>(float* s, float cap, float* slopes) where S : struct, ISimd<V> where V : struct
    {
        V c = S.Splat(cap), inverse = S.Splat(1 / cap), one = S.Splat(1);
        for (int j = _begin; j < _end; j += S.Width)
        {
            V t = VectorMath.Tanh<S, V>(S.Mul(S.Load(s + j), inverse));
            S.Store(s + j, S.Mul(c, t));
            if (slopes != null)
            {
                S.Store(slopes + j, S.Fma(S.Neg(t), t, one));
            }
        }
    }

    // Distances are below 2^24, so they and their differences are exact in float32.
    private void Alibi<S, V>(float* s, float slope) where S : struct, ISimd<V> where V : struct
    {
        float* steps = stackalloc float[AttentionTile.Lanes];
        for (int j = 0; j < AttentionTile.Lanes; j++)
        {
            steps[j] = j;
        }
        V m = S.Splat(-slope), lane = S.Load(steps);
        for (int j = _begin; j < _end; j += S.Width)
        {
            S.Store(s + j, S.Fma(m, S.Abs(S.Add(S.Splat(Distance + j), lane)), S.Load(s + j)));
        }
    }

    private void RelativeBias<S, V>(float* s, float* table, int span) where S : struct, ISimd<V> where V : struct
    {
        (int low, int high) = Unclipped(span);
        AddConstant(s, _first, low, table[0]);
        AddVector<S, V>(s + low, table + (nint)(Distance + low + span), high - low);
        AddConstant(s, high, _last, table[2 * span]);
    }

    /// <summary>The visible columns whose distance lies within the table; those before and after are clipped to its ends.</summary>
    private (int Low, int High) Unclipped(int span)
    {
        int low = (int)Math.Clamp(-span - Distance, _first, _last);
        return (low, (int)Math.Clamp(span - Distance + 1, low, _last));
    }

    private void AddBias<S, V>(float* s, float* bias, nint stride) where S : struct, ISimd<V> where V : struct
    {
        if (stride == 1)
        {
            AddVector<S, V>(s + _first, bias + _first, _last - _first);
            return;
        }
        for (int j = _first; j < _last; j++)
        {
            s[j] += bias[j * stride];
        }
    }

    private void Hide(float* s, byte* mask, nint stride)
    {
        for (int j = _first; j < _last; j++)
        {
            if (mask[j * stride] == 0)
            {
                s[j] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>Adds the scores' gradient to those of the relative table (float64, of this head) and of the additive bias; null where not wanted.</summary>
    public void AddGradients<S, V>(float* ds, double* table, float* bias) where S : struct, ISimd<V> where V : struct
    {
        AttentionArgs<float>* args = _problem.Args;
        if (table != null)
        {
            AddToTable(ds, table, args->RelativeSpan);
        }
        if (bias != null)
        {
            AddToBias<S, V>(ds, bias + BiasPlace(args), args->BiasKeyStride);
        }
    }

    private void AddToTable(float* ds, double* table, int span)
    {
        (int low, int high) = Unclipped(span);
        table[0] += Sum(ds, _first, low);
        for (int j = low; j < high; j++)
        {
            table[Distance + j + span] += ds[j];
        }
        table[2 * span] += Sum(ds, high, _last);
    }

    private void AddToBias<S, V>(float* ds, float* bias, nint stride) where S : struct, ISimd<V> where V : struct
    {
        if (stride == 1)
        {
            AddVector<S, V>(bias + _first, ds + _first, _last - _first);
            return;
        }
        for (int j = _first; j < _last; j++)
        {
            bias[j * stride] += ds[j];
        }
    }

    private nint BiasPlace(AttentionArgs<float>* args) =>
        Place(args->BiasSegmentStride, args->BiasHeadStride, args->BiasQueryStride, args->BiasKeyStride);

    private nint Place(nint segment, nint head, nint query, nint key) =>
        _problem.SegmentIndex * segment + Head * head + (nint)Query * query + (nint)_keyStart * key;

    private static double Sum(float* x, int begin, int end)
    {
        double sum = 0;
        for (int j = begin; j < end; j++)
        {
            sum += x[j];
        }
        return sum;
    }

    private static void AddConstant(float* x, int begin, int end, float value)
    {
        for (int j = begin; j < end; j++)
        {
            x[j] += value;
        }
    }

    private static void AddVector<S, V>(float* x, float* y, int count) where S : struct, ISimd<V> where V : struct
    {
        int j = 0;
        for (; j + S.Width <= count; j += S.Width)
        {
            S.Store(x + j, S.Add(S.Load(x + j), S.Load(y + j)));
        }
        for (; j < count; j++)
        {
            x[j] += y[j];
        }
    }
}
