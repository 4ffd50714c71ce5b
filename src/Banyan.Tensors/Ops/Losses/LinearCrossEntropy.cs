using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>
/// A language model's head and its loss in one: the cross-entropy of h W^T against the targets, summed and divided by a number of tokens. Logits
/// are made in chunks of rows; what fits <see cref="KeptBytes"/> is kept for the backward pass, the rest is computed again there, so the
/// logits of a large batch never exist. With p = softmax(h W^T): d logits = (p - onehot) / tokens, dh = d logits W, dW = d logits^T h.
/// </summary>
public sealed class LinearCrossEntropy : Op
{
    /// <summary>Logits of up to this many bytes are kept from the forward pass (64 MiB).</summary>
    public const long KeptBytes = 64L << 20;

    private const long ChunkBytes = 16L << 20;

    private readonly double _tokens, _smoothing;
    private readonly long _ignore;
    private Tensor? _logits;   // kept; null when too large, or once a backward pass has turned them into their gradient

    private LinearCrossEntropy(double tokens, double smoothing, long ignore, Tensor? logits)
    {
        _tokens = tokens;
        _smoothing = smoothing;
        _ignore = ignore;
        _logits = logits;
    }

    /// <inheritdoc/>
    public override string Name => "linear_cross_entropy";

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>The summed loss of the rows, divided by <paramref name="tokens"/>; 0-d.</summary>
    /// <param name="h">Hidden states (rows, C).</param>
    /// <param name="weight">The head (V, C).</param>
    /// <param name="targets">(rows), int64; <paramref name="ignore"/> does not count.</param>
    /// <param name="tokens">What the sum is divided by; null: the number of counted targets, for the mean.</param>
    /// <param name="smoothing">Label smoothing. Default: 0.</param>
    /// <param name="ignore">The target that does not count. Default: -100.</param>
    /// <param name="losses">Receives the loss of each row: dense float32 (rows) without gradient history, or null.</param>
    /// <exception cref="ArgumentException"><paramref name="losses"/> is no such tensor.</exception>
    public static Tensor Apply(Tensor h, Tensor weight, Tensor targets, double? tokens = null, double smoothing = 0, long ignore = -100, Tensor? losses = null)
    {
        Tensor x = h.Contiguous(), t = targets.To(DType.Int64).Contiguous();
        long rows = x.Shape[0], classes = weight.Shape[0];
        CheckLosses(losses, rows);
        double divisor = tokens ?? TensorRows.CountTargets(t, classes, ignore);
        if (tokens is not null)
        {
            TensorRows.CountTargets(t, classes, ignore);   // the bounds
        }
        Tensor loss = losses ?? Tensor.Allocate(x, [rows], DType.Float32);
        bool keep = Tape.Needs(Tensor.ScopeOf(x, weight), x, weight) && rows * classes * sizeof(float) <= KeptBytes;
        long chunk = keep ? Math.Max(rows, 1) : ChunkRows(classes);
        Tensor logits = Tensor.Allocate(x, [Math.Min(chunk, rows), classes], DType.Float32);
        for (long from = 0; from < rows; from += chunk)
        {
            long n = Math.Min(chunk, rows - from);
            Tensor z = logits.Detach().Slice(0, 0, n);
            MatMul.Into(z, x.Detach().Slice(0, from, n), false, weight, true, accumulate: false);
            TensorRows.CrossEntropy(z, t.Slice(0, from, n), loss.Detach().Slice(0, from, n), ignore, smoothing, 1, gradient: false);
        }
        losses?.MarkChanged();
        Tensor y = Tensor.Allocate(x, [], DType.Float32);
        y.Fill(x.Device.IsMeta ? 0 : TensorRows.SumAsDouble(loss) / divisor);
        if (Tape.Needs(y.Scope, x, weight))
        {
            y.Scope!.Tape!.Record(new LinearCrossEntropy(divisor, smoothing, ignore, keep ? logits : null), [x, weight, t], y);
        }
        return y;
    }

    private static void CheckLosses(Tensor? losses, long rows)
    {
        if (losses is null)
        {
            return;
        }
        if (!TensorRows.Fits(losses) || losses.Shape != [rows] || losses.RequiresGrad)
        {
            throw new ArgumentException($"linear_cross_entropy: the losses are written to {losses}; a dense float32 tensor [{rows}] that requires no gradient is needed");
        }
        losses.CheckWritable();
    }

    private static long ChunkRows(long classes) => Math.Max(8, ChunkBytes / (classes * sizeof(float)) / 8 * 8);

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        if (c.CreateGraph)
        {
            Composed(c);
            return;
        }
        Tensor x = c.Input(0), weight = c.Input(1), targets = c.Input(2);
        double scale = x.Device.IsMeta ? 1 : c.GradOutput().Item() / _tokens;
        // The gradient overwrites the kept logits, so a second backward pass over the same tape has to compute them again.
        (Tensor? kept, _logits) = (_logits, null);
        long rows = x.Shape[0], classes = weight.Shape[0], chunk = kept is null ? ChunkRows(classes) : Math.Max(rows, 1);
        Tensor dx = Tensor.Allocate(x, x.Shape), losses = Tensor.Allocate(x, [Math.Min(chunk, rows)]);
        Tensor logits = kept ?? Tensor.Allocate(x, [Math.Min(chunk, rows), classes], DType.Float32);
        Tensor? leaf = c.LeafForSink(1), dw = leaf is null && c.Needs(1) ? c.Scope.Zeros(weight.Shape) : null;
        for (long from = 0; from < rows; from += chunk)
        {
            long n = Math.Min(chunk, rows - from);
            Tensor z = logits.Slice(0, 0, n), xs = x.Slice(0, from, n);
            if (kept is null)
            {
                MatMul.Into(z, xs, false, weight, true, accumulate: false);
            }
            TensorRows.CrossEntropy(z, targets.Slice(0, from, n), losses.Slice(0, 0, n), _ignore, _smoothing, scale, gradient: true);
            MatMul.Into(dx.Slice(0, from, n), z, false, weight, false, accumulate: false);
            if (leaf is not null)
            {
                c.Sink.Linear(leaf, xs, z, transposed: false);
            }
            else if (dw is not null)
            {
                MatMul.Into(dw, z, true, xs, false, accumulate: true);
            }
        }
        c.Grad(0, dx);
        if (dw is not null)
        {
            c.Grad(1, dw);
        }
    }

    // The same gradient in tensor operations, for a second derivative.
    private void Composed(in BackwardContext c)
    {
        Tensor x = c.Input(0), weight = c.Input(1), targets = c.Input(2);
        Tensor logits = x.MatMul(weight.Transpose(0, 1));
        var classOf = new ClassTargets(targets, classWeight: null, _ignore, logits.DType);
        Tensor goal = (c.Scope.Zeros(logits.Shape, logits.DType) + classOf.Counted * (_smoothing / weight.Shape[0]))
            .ScatterAdd(-1, classOf.Index, classOf.Counted * (1 - _smoothing));
        Tensor dz = (logits.Softmax(-1) * classOf.Counted - goal) * c.GradOutput() / _tokens;
        c.Grad(0, dz.MatMul(weight));
        c.Grad(1, dz.Transpose(0, 1).MatMul(x));
    }
}
