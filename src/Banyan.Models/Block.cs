using Banyan.Autograd;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// A layer of a stack: hidden states in, hidden states out. Running it frees what it made (without a tape), or keeps only its input and
/// computes the rest again in the backward pass (with activation checkpointing).
/// </summary>
public abstract class Block : Module
{
    /// <summary>x (tokens, C) to (tokens, C).</summary>
    protected abstract Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass);

    /// <summary>Runs the layer within a forward pass.</summary>
    public Tensor Run(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        if (pass.CheckpointActivations && pass.Scope.Tape is { Recording: true })
        {
            return pass.Visit(this, Recomputed(x, batch, pass));
        }
        int mark = pass.Scope.Mark();
        return pass.Visit(this, pass.Scope.Keep(mark, Forward(x, batch, pass)));
    }

    // Apart, so that the closure is only made where it is used.
    private Tensor Recomputed(Tensor x, TokenBatch batch, ForwardPass pass) => Checkpoint.Apply(h => Forward(h, batch, pass), x);
}
