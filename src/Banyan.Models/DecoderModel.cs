using Banyan.Checkpoints;
using Banyan.Nn;
using Banyan.Ops;

namespace Banyan.Models;

/// <summary>A model with a decoder: each position predicts the next token from those before it, and from a source where there is one.</summary>
public abstract class DecoderModel : Model
{
    /// <summary>Keeps the configuration.</summary>
    protected DecoderModel(ConfigReader config) : base(config)
    {
    }

    /// <summary>Number of token ids.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest sequence that the model was built for.</summary>
    public abstract int MaxPositions { get; }

    /// <summary>The head's weight (V, C), tied or not.</summary>
    public abstract Parameter HeadWeight { get; }

    /// <summary>
    /// True when the logits are the hidden states times <see cref="HeadWeight"/> and nothing else, so that the loss can be computed without
    /// the logits of a whole batch. Default: true.
    /// </summary>
    protected virtual bool HasPlainHead => true;

    /// <summary>Final hidden states, the last norm included: (tokens, C).</summary>
    public abstract Tensor Hidden(TokenBatch batch, ForwardPass pass);

    /// <summary>Logits (rows, V) of hidden states (rows, C).</summary>
    public virtual Tensor Logits(Tensor hidden, ForwardPass pass)
    {
        Tensor logits = Ops.Linear.Apply(hidden, HeadWeight);
        return pass.Tap is null ? logits : pass.Tap.Visit("lm_head", logits);
    }

    /// <summary>
    /// The training loss: summed over the targets, divided by <paramref name="tokens"/>. With a plain head the logits of the whole batch never exist.
    /// </summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="targets">(tokens), int64: the id that follows each token; -100 does not count.</param>
    /// <param name="tokens">The divisor; null: the number of targets that count.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    /// <param name="losses">Receives each token's loss (tokens), or null.</param>
    /// <param name="smoothing">Label smoothing. Default: 0.</param>
    public virtual Tensor Loss(TokenBatch batch, Tensor targets, double? tokens, ForwardPass pass, Tensor? losses = null, double smoothing = 0)
    {
        IList<Tensor>? routers = pass.Training ? Collect(pass) : null;   // held-out losses are those of the text alone
        Tensor hidden = Hidden(batch, pass);
        if (HasPlainHead)
        {
            return Balanced(LinearCrossEntropy.Apply(hidden, HeadWeight, targets, tokens, smoothing, losses: losses), routers);
        }
        Tensor each = Banyan.Loss.CrossEntropy(Logits(hidden, pass), targets, labelSmoothing: smoothing, reduction: Reduction.None);
        losses?.CopyFrom(each.Detach());
        return Balanced(each.Sum() / (tokens ?? Math.Max(1, targets.Ne(-100).ToDoubles().Sum())), routers);
    }

    /// <summary>The loss of the routers, which joins the model's; null: there are none, or it is not wanted.</summary>
    public RouterLoss? RouterLoss { get; init; }

    /// <summary>Begins to collect the routers' logits of a pass where they are wanted.</summary>
    private protected IList<Tensor>? Collect(ForwardPass pass)
    {
        if (RouterLoss is not null && pass.CheckpointActivations)
        {
            throw new InvalidOperationException("the loss of routers needs the activations: activation checkpointing must be off, or output_router_logits false");
        }
        return pass.RouterLogits = RouterLoss is null ? null : [];
    }

    /// <summary>A loss and, where routers were collected, theirs.</summary>
    private protected Tensor Balanced(Tensor loss, IList<Tensor>? routers) =>
        RouterLoss is null || routers is not { Count: > 0 } ? loss : loss + RouterLoss.Of([.. routers]) * RouterLoss.Coefficient;

    /// <summary>Labels (B, T) moved one to the left and flattened; the last of each row becomes -100.</summary>
    protected static Tensor NextTokens(Tensor labels, Scope scope)
    {
        Tensor targets = scope.Zeros(labels.Shape, DType.Int64);
        targets.Fill(-100);
        long length = labels.Shape[1];
        if (length > 1)
        {
            targets.Slice(1, 0, length - 1).CopyFrom(labels.To(DType.Int64).Slice(1, 1, length - 1));
        }
        return targets.Reshape(-1);
    }
}
