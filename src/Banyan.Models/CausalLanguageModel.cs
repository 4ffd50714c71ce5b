using Banyan.Checkpoints;
using Banyan.Nn;
using Banyan.Ops;

namespace Banyan.Models;

/// <summary>A decoder-only language model: each position predicts the next token.</summary>
public abstract class CausalLanguageModel : Model
{
    /// <summary>Keeps the configuration.</summary>
    protected CausalLanguageModel(ConfigReader config) : base(config)
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
        Tensor hidden = Hidden(batch, pass);
        if (HasPlainHead)
        {
            return LinearCrossEntropy.Apply(hidden, HeadWeight, targets, tokens, smoothing, losses: losses);
        }
        Tensor each = Banyan.Loss.CrossEntropy(Logits(hidden, pass), targets, labelSmoothing: smoothing, reduction: Reduction.None);
        losses?.CopyFrom(each.Detach());
        return each.Sum() / (tokens ?? Math.Max(1, targets.Ne(-100).ToDoubles().Sum()));
    }

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids");
        TokenBatch batch = inputs.Tokens(pass.Scope);
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = Logits(Hidden(batch, pass), pass);
        Tensor? loss = labels is null ? null : Banyan.Loss.CrossEntropy(logits, NextTokens(labels, pass.Scope));
        return new ModelOutputs().With("loss", loss).With("logits", logits.Reshape(ids.Shape[0], ids.Shape[1], VocabularySize));
    }

    /// <summary>Labels (B, T) moved one to the left and flattened; the last of each row becomes -100.</summary>
    private static Tensor NextTokens(Tensor labels, Scope scope)
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
