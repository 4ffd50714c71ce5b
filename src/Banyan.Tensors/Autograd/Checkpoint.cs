namespace Banyan.Autograd;

/// <summary>
/// Activation checkpointing (Chen et al. 2016, arXiv:1604.06174): the forward pass of a piece keeps only its input and output; the backward
/// pass computes the piece again, with a tape, and walks that. Costs one more forward pass of the piece; the gradients have the same bits.
/// </summary>
public sealed class Checkpoint : Op
{
    private readonly Func<Tensor, Tensor> _piece;

    private Checkpoint(Func<Tensor, Tensor> piece) => _piece = piece;

    /// <inheritdoc/>
    public override string Name => "checkpoint";

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>Runs <paramref name="piece"/> on <paramref name="x"/> without keeping what it computes in between.</summary>
    /// <param name="piece">Must compute the same again when called again (counter-based dropout does).</param>
    /// <param name="x">Its input, of a recording scope.</param>
    public static Tensor Apply(Func<Tensor, Tensor> piece, Tensor x)
    {
        if (x.Scope?.Tape is not { Recording: true } tape)
        {
            return piece(x);
        }
        int mark = x.Scope.Mark();
        Tensor y;
        using (tape.NoGrad())
        {
            y = x.Scope.Keep(mark, piece(x));
        }
        // The piece's parameters need gradients even where x does not, so the record is always made.
        tape.Record(new Checkpoint(piece), [x], y);
        return y;
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tape tape = c.Scope.Tape!;
        Tensor x = c.Input(0), dy = c.GradOutput();
        int first = tape.Count, liveStart = c.Scope.Mark();
        Tensor again;
        Tensor entry = x.Detach();
        entry.Body.RequiresGrad = c.Needs(0);
        using (tape.Resume())
        {
            Tensor inside = Ops.Alias.Apply(entry, c.Scope);
            again = _piece(inside);
        }
        if (tape.Count == first)
        {
            return;
        }
        Tensor? dx = tape.BackwardPiece(first, liveStart, again, dy, entry);
        if (dx is not null)
        {
            c.Grad(0, dx);
        }
    }
}
