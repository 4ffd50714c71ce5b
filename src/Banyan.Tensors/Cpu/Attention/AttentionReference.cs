namespace Banyan.Cpu;

/// <summary>
/// Attention as the formula says it, in float64, one row after another: the oracle of <see cref="FlashAttention"/>, and what float64 tensors
/// are computed with.
/// </summary>
internal static unsafe class AttentionReference
{
    /// <summary>Writes o.</summary>
    public static void Forward(in AttentionArgs<double> args)
    {
        foreach (Row row in Rows(args))
        {
            row.Compute();
            double* o = args.O + row.At(args.OTokenStride, args.OHeadStride);
            new Span<double>(o, args.ValueDim).Clear();
            for (long j = row.Begin; j < row.End; j++)
            {
                row.AddValue(o, j, row.P[j] * row.Kept[j]);
            }
        }
    }

    /// <summary>Overwrites dq, dk, dv; adds to the gradients of the parameters.</summary>
    public static void Backward(in AttentionArgs<double> args, in AttentionGradients<double> gradients)
    {
        Clear(args, gradients);
        var dp = new double[MaxKeys(args)];
        foreach (Row row in Rows(args))
        {
            row.Compute();
            double* dout = gradients.DO + row.At(gradients.DOTokenStride, gradients.DOHeadStride);
            double mean = 0;
            for (long j = row.Begin; j < row.End; j++)
            {
                dp[j] = Dot(dout, row.Value(j), args.ValueDim) * row.Kept[j];
                mean += row.P[j] * dp[j];
            }
            for (long j = row.Begin; j < row.End; j++)
            {
                row.AddGradients(gradients, dout, j, row.P[j] * (dp[j] - mean));
            }
            if (gradients.DSinks != null)
            {
                gradients.DSinks[row.Head] -= row.SinkWeight * mean;
            }
        }
    }

    private static List<Row> Rows(in AttentionArgs<double> args)
    {
        var rows = new List<Row>();
        var buffers = new double[4][];
        for (int i = 0; i < 4; i++)
        {
            buffers[i] = new double[MaxKeys(args)];
        }
        for (int segment = 0; segment < args.SegmentCount; segment++)
        {
            for (int head = 0; head < args.Heads; head++)
            {
                for (long query = 0; query < args.Segments[segment].QLength; query++)
                {
                    rows.Add(new Row(args, segment, head, query, buffers));
                }
            }
        }
        return rows;
    }

    private static long MaxKeys(in AttentionArgs<double> args)
    {
        long most = 1;
        for (int i = 0; i < args.SegmentCount; i++)
        {
            most = Math.Max(most, args.Segments[i].KLength);
        }
        return most;
    }

    private static void Clear(in AttentionArgs<double> args, in AttentionGradients<double> g)
    {
        for (int i = 0; i < args.SegmentCount; i++)
        {
            AttentionSegment<double> s = args.Segments[i];
            Clear(g.DQ, s.QStart, s.QLength, args.Heads, args.HeadDim, g.DQTokenStride, g.DQHeadStride);
            Clear(s.K != null ? null : g.DK, s.KStart, s.KLength, args.KvHeads, args.HeadDim, g.DKTokenStride, g.DKHeadStride);
            Clear(s.K != null ? null : g.DV, s.KStart, s.KLength, args.KvHeads, args.ValueDim, g.DVTokenStride, g.DVHeadStride);
        }
    }

    private static void Clear(double* x, long start, long length, int heads, int dim, nint tokenStride, nint headStride)
    {
        for (long t = start; x != null && t < start + length; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                new Span<double>(x + (nint)t * tokenStride + h * headStride, dim).Clear();
            }
        }
    }

    private static double Dot(double* a, double* b, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void Add(double* target, double* source, double factor, int count)
    {
        for (int i = 0; i < count; i++)
        {
            target[i] += source[i] * factor;
        }
    }

    /// <summary>One query of one head: its weights on the keys <c>[Begin, End)</c>.</summary>
    private readonly struct Row
    {
        private readonly AttentionArgs<double> _args;
        private readonly AttentionSegment<double> _segment;
        private readonly int _segmentIndex;
        private readonly long _query;
        private readonly double[] _slopes;     // d score / d (scale * q k^T)
        private readonly double[] _statistics; // maximum, sum

        public Row(in AttentionArgs<double> args, int segment, int head, long query, double[][] buffers)
        {
            (_args, _segment, _segmentIndex, _query, Head) = (args, args.Segments[segment], segment, query, head);
            (P, Kept, _slopes, _statistics) = (buffers[0], buffers[1], buffers[2], new double[2]);
            KeyRange range = KeyRange.Of(args, _segment, query);
            (Begin, End) = (range.Begin, range.End);
        }

        public int Head { get; }

        public long Begin { get; }

        public long End { get; }

        /// <summary>The softmax's weights.</summary>
        public double[] P { get; }

        /// <summary>What dropout multiplies the weights by: 0 or 1 / (1 - p).</summary>
        public double[] Kept { get; }

        public double SinkWeight => _args.Sinks == null ? 0 : Math.Exp(_args.Sinks[Head] - _statistics[0]) / _statistics[1];

        private int KvHead => Head / _args.GroupSize;

        private double* Q => _args.Q + At(_args.QTokenStride, _args.QHeadStride);

        public nint At(nint tokenStride, nint headStride) => (nint)(_segment.QStart + _query) * tokenStride + Head * headStride;

        private double* Key(long j) => _segment.K != null
            ? _segment.K + (nint)(_segment.KStart + j) * _segment.KTokenStride + KvHead * _segment.KHeadStride
            : _args.K + (nint)(_segment.KStart + j) * _args.KTokenStride + KvHead * _args.KHeadStride;

        public double* Value(long j) => _segment.V != null
            ? _segment.V + (nint)(_segment.KStart + j) * _segment.VTokenStride + KvHead * _segment.VHeadStride
            : _args.V + (nint)(_segment.KStart + j) * _args.VTokenStride + KvHead * _args.VHeadStride;

        public void Compute()
        {
            double maximum = _args.Sinks == null ? double.NegativeInfinity : _args.Sinks[Head];
            for (long j = Begin; j < End; j++)
            {
                P[j] = Score(j);
                maximum = Math.Max(maximum, P[j]);
            }
            double shift = double.IsNegativeInfinity(maximum) ? 0 : maximum;
            double sum = _args.Sinks == null ? 0 : Math.Exp(_args.Sinks[Head] - shift);
            for (long j = Begin; j < End; j++)
            {
                P[j] = Math.Exp(P[j] - shift);
                sum += P[j];
            }
            var dropout = new AttentionDropout(_args.Seed, _segment.Sequence, Head, _query + _segment.Offset, _args.Dropout);
            for (long j = Begin; j < End; j++)
            {
                P[j] = sum == 0 ? 0 : P[j] / sum;
                Kept[j] = _args.Dropout == 0 ? 1 : dropout.Keeps(j) ? 1 / (1 - _args.Dropout) : 0;
            }
            (_statistics[0], _statistics[1]) = (shift, sum == 0 ? 1 : sum);
        }

        private double Score(long j)
        {
            double s = _args.Scale * Dot(Q, Key(j), _args.HeadDim);
            _slopes[j] = 1;
            if (_args.SoftCap != 0)
            {
                double t = Math.Tanh(s / _args.SoftCap);
                (s, _slopes[j]) = (_args.SoftCap * t, 1 - t * t);
            }
            s -= _args.AlibiSlopes == null ? 0 : _args.AlibiSlopes[Head] * Math.Abs(Distance(j));
            s += _args.RelativeBias == null ? 0 : _args.RelativeBias[RelativePlace(j)];
            s += _args.Bias == null ? 0 : _args.Bias[BiasPlace(j)];
            bool isHidden = (_segment.KeyMask != null && _segment.KeyMask[j] == 0) || (_args.Mask != null && _args.Mask[MaskPlace(j)] == 0);
            return isHidden ? double.NegativeInfinity : s;
        }

        private long Distance(long j) => j - _query - _segment.Offset;

        private nint RelativePlace(long j) =>
            Head * (2 * _args.RelativeSpan + 1) + (nint)Math.Clamp(Distance(j), -_args.RelativeSpan, _args.RelativeSpan) + _args.RelativeSpan;

        private nint BiasPlace(long j) => _segmentIndex * _args.BiasSegmentStride + Head * _args.BiasHeadStride
            + (nint)_query * _args.BiasQueryStride + (nint)j * _args.BiasKeyStride;

        private nint MaskPlace(long j) => _segmentIndex * _args.MaskSegmentStride + Head * _args.MaskHeadStride
            + (nint)_query * _args.MaskQueryStride + (nint)j * _args.MaskKeyStride;

        public void AddValue(double* o, long j, double weight) => Add(o, Value(j), weight, _args.ValueDim);

        /// <summary>Hands the gradient of one score on, and the weight's share of dv.</summary>
        public void AddGradients(in AttentionGradients<double> g, double* dout, long j, double ds)
        {
            if (g.DBias != null)
            {
                g.DBias[BiasPlace(j)] += ds;
            }
            if (g.DRelativeBias != null)
            {
                g.DRelativeBias[RelativePlace(j)] += ds;
            }
            double dot = ds * _slopes[j] * _args.Scale;
            if (g.DQ != null)
            {
                Add(g.DQ + At(g.DQTokenStride, g.DQHeadStride), Key(j), dot, _args.HeadDim);
            }
            nint token = (nint)(_segment.KStart + j);
            if (g.DK != null && _segment.K == null)
            {
                Add(g.DK + token * g.DKTokenStride + KvHead * g.DKHeadStride, Q, dot, _args.HeadDim);
            }
            if (g.DV != null && _segment.V == null)
            {
                Add(g.DV + token * g.DVTokenStride + KvHead * g.DVHeadStride, dout, P[j] * Kept[j], _args.ValueDim);
            }
        }
    }
}
