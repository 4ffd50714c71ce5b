namespace Banyan.Cpu;

/// <summary>The tensors of one attention call, all of one type (float32 or float64); the last dimension of q, k, v, o is contiguous.</summary>
internal struct AttentionTensors
{
    public Tensor Q, K, V, O;

    /// <summary>(2, H, tokens): the rows' maximum and sum; null for inference.</summary>
    public Tensor? Statistics;

    /// <summary>Dense, or null.</summary>
    public Tensor? AlibiSlopes, RelativeBias, Sinks;

    /// <summary>Expanded to four dimensions, or null.</summary>
    public Tensor? Bias, Mask;

    public AttentionOptions Options;
    public SequenceLayout Layout;

    /// <summary>Of the backward pass. DBias has the strides of <see cref="Bias"/>.</summary>
    public Tensor? DO, DQ, DK, DV, DBias, DRelativeBias, DSinks;
}

/// <summary>Attention over tensors: float32 by <see cref="FlashAttention"/>, float64 by <see cref="AttentionReference"/>.</summary>
internal static unsafe class AttentionLoop
{
    /// <summary>Writes o and the statistics.</summary>
    public static void Forward(in AttentionTensors t)
    {
        if (t.Q.Device.IsMeta)
        {
            return;
        }
        ComputePool pool = t.O.Pool;
        AttentionWorkspace workspace = pool.AttentionWorkspaces.Take();
        if (t.Q.DType == DType.Float64)
        {
            AttentionReference.Forward(Bind<double>(t, workspace));
        }
        else
        {
            AttentionArgs<float> args = Bind<float>(t, workspace);
            FlashAttention.Forward(&args, workspace, pool);
        }
        pool.AttentionWorkspaces.Return(workspace);
        KeepAlive(t);
    }

    /// <summary>Overwrites dq, dk, dv of the sequences; adds to the gradients of the parameters.</summary>
    public static void Backward(in AttentionTensors t)
    {
        if (t.Q.Device.IsMeta)
        {
            return;
        }
        ComputePool pool = t.O.Pool;
        AttentionWorkspace workspace = pool.AttentionWorkspaces.Take();
        if (t.Q.DType == DType.Float64)
        {
            AttentionReference.Backward(Bind<double>(t, workspace), BindGradients<double>(t));
        }
        else
        {
            AttentionArgs<float> args = Bind<float>(t, workspace);
            AttentionGradients<float> gradients = BindGradients<float>(t);
            FlashAttention.Backward(&args, &gradients, workspace, pool);
        }
        pool.AttentionWorkspaces.Return(workspace);
        KeepAlive(t);
    }

    private static AttentionArgs<T> Bind<T>(in AttentionTensors t, AttentionWorkspace workspace) where T : unmanaged
    {
        (int left, int right) = t.Options.Limits();
        return new AttentionArgs<T>
        {
            Q = Pointer<T>(t.Q), QTokenStride = Stride(t.Q, 0), QHeadStride = Stride(t.Q, 1),
            K = Pointer<T>(t.K), KTokenStride = Stride(t.K, 0), KHeadStride = Stride(t.K, 1),
            V = Pointer<T>(t.V), VTokenStride = Stride(t.V, 0), VHeadStride = Stride(t.V, 1),
            O = Pointer<T>(t.O), OTokenStride = Stride(t.O, 0), OHeadStride = Stride(t.O, 1),
            Tokens = t.Q.Shape[0], Heads = (int)t.Q.Shape[1], KvHeads = (int)t.K.Shape[1], HeadDim = (int)t.Q.Shape[2], ValueDim = (int)t.V.Shape[2],
            Segments = BindSegments<T>(t.Layout, workspace), SegmentCount = t.Layout.Count,
            Scale = t.Options.Scale ?? 1 / Math.Sqrt(t.Q.Shape[2]), Left = left, Right = right, SoftCap = t.Options.SoftCap,
            AlibiSlopes = Pointer<T>(t.AlibiSlopes), Sinks = Pointer<T>(t.Sinks),
            RelativeBias = Pointer<T>(t.RelativeBias), RelativeSpan = t.RelativeBias is { } table ? (int)(table.Shape[1] / 2) : 0,
            Bias = Pointer<T>(t.Bias), BiasSegmentStride = Stride(t.Bias, 0), BiasHeadStride = Stride(t.Bias, 1),
            BiasQueryStride = Stride(t.Bias, 2), BiasKeyStride = Stride(t.Bias, 3),
            Mask = Pointer<byte>(t.Mask), MaskSegmentStride = Stride(t.Mask, 0), MaskHeadStride = Stride(t.Mask, 1),
            MaskQueryStride = Stride(t.Mask, 2), MaskKeyStride = Stride(t.Mask, 3),
            Dropout = t.Options.Dropout, Seed = t.Options.Seed,
            RowMax = Pointer<T>(t.Statistics), RowSum = t.Statistics is { } s ? Pointer<T>(s) + s.Count / 2 : null,
        };
    }

    private static AttentionGradients<T> BindGradients<T>(in AttentionTensors t) where T : unmanaged => new()
    {
        DO = Pointer<T>(t.DO), DOTokenStride = Stride(t.DO, 0), DOHeadStride = Stride(t.DO, 1),
        DQ = Pointer<T>(t.DQ), DQTokenStride = Stride(t.DQ, 0), DQHeadStride = Stride(t.DQ, 1),
        DK = Pointer<T>(t.DK), DKTokenStride = Stride(t.DK, 0), DKHeadStride = Stride(t.DK, 1),
        DV = Pointer<T>(t.DV), DVTokenStride = Stride(t.DV, 0), DVHeadStride = Stride(t.DV, 1),
        DBias = Pointer<T>(t.DBias), DRelativeBias = Pointer<T>(t.DRelativeBias), DSinks = Pointer<T>(t.DSinks),
    };

    private static AttentionSegment<T>* BindSegments<T>(SequenceLayout layout, AttentionWorkspace workspace) where T : unmanaged
    {
        int maskBytes = layout.KeyMask?.Length ?? 0;
        nint bytes = checked((nint)layout.Count * sizeof(AttentionSegment<T>));
        var segments = (AttentionSegment<T>*)workspace.Table(bytes + maskBytes);
        byte* mask = (byte*)segments + bytes;
        layout.KeyMask?.CopyTo(new Span<bool>(mask, maskBytes));
        for (int i = 0; i < layout.Count; i++)
        {
            SequenceSpan s = layout[i];
            segments[i] = new AttentionSegment<T>
            {
                QStart = s.QueryStart, QLength = s.QueryLength, KStart = s.KeyStart, KLength = s.KeyLength, Offset = s.Offset,
                K = Pointer<T>(s.Keys), KTokenStride = Stride(s.Keys, 0), KHeadStride = Stride(s.Keys, 1),
                V = Pointer<T>(s.Values), VTokenStride = Stride(s.Values, 0), VHeadStride = Stride(s.Values, 1),
                KeyMask = s.KeyMaskStart < 0 ? null : mask + s.KeyMaskStart,
                Sequence = s.Id < 0 ? (ulong)i : (ulong)s.Id,
            };
        }
        return segments;
    }

    private static T* Pointer<T>(Tensor? t) where T : unmanaged => t is null ? null : (T*)t.Body.Storage!.Pointer + t.Body.Offset;

    private static nint Stride(Tensor? t, int dim) => t is null ? 0 : (nint)t.Strides[dim];

    private static void KeepAlive(in AttentionTensors t)
    {
        GC.KeepAlive(t.Q); GC.KeepAlive(t.K); GC.KeepAlive(t.V); GC.KeepAlive(t.O); GC.KeepAlive(t.Statistics);
        GC.KeepAlive(t.AlibiSlopes); GC.KeepAlive(t.RelativeBias); GC.KeepAlive(t.Sinks); GC.KeepAlive(t.Bias); GC.KeepAlive(t.Mask);
        GC.KeepAlive(t.DO); GC.KeepAlive(t.DQ); GC.KeepAlive(t.DK); GC.KeepAlive(t.DV);
        GC.KeepAlive(t.DBias); GC.KeepAlive(t.DRelativeBias); GC.KeepAlive(t.DSinks); GC.KeepAlive(t.Layout);
    }
}
