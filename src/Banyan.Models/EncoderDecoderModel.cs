using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// A decoder that writes a target while it attends to an encoded source: the batches of the target
/// carry the source (<see cref="TokenBatch.Source"/>).
/// </summary>
public abstract class EncoderDecoderModel : DecoderModel
{
    /// <summary>Keeps the configuration.</summary>
    protected EncoderDecoderModel(ConfigReader config) : base(config)
    {
    }

    /// <summary>The id that every target starts with.</summary>
    public abstract int DecoderStartTokenId { get; }

    /// <summary>The id that stands for ignored labels at the decoder's input.</summary>
    public abstract int PadTokenId { get; }

    /// <summary>Hidden states of a source.</summary>
    /// <param name="inputs">The arguments that describe it: tokens with their mask, or sound.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    public abstract EncodedSource Encode(ModelInputs inputs, ForwardPass pass);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        EncodedSource source = Encode(inputs, pass);
        Tensor? labels = inputs.Find("labels");
        Tensor? given = inputs.Find("decoder_input_ids"), mask = inputs.Find("decoder_attention_mask");
        Tensor ids = given ?? (labels is null ? inputs.Require("decoder_input_ids") : ShiftedRight(labels, pass.Scope));
        TokenBatch batch = TokenBatch.Rectangle(ids, mask ?? (given is null && HidesPadding ? ids.Ne(PadTokenId) : null), null, pass.Scope);
        inputs.CheckAllRead();
        batch.Source = source;
        Tensor logits = Logits(Hidden(batch, pass), pass);
        Tensor? loss = labels is null ? null : Banyan.Loss.CrossEntropy(logits, pass.Scope.Use(labels).Reshape(-1));
        return new ModelOutputs().With("loss", loss).With("logits", logits.Reshape(ids.Shape[0], ids.Shape[1], VocabularySize))
            .With("encoder_last_hidden_state", source.Hidden.Reshape(ids.Shape[0], -1, source.Hidden.Shape[1]));
    }

    /// <summary>Whether padding ids at the decoder's input are masked where that input was made from labels. Default: false.</summary>
    protected virtual bool HidesPadding => false;

    /// <summary>The id before the first label of a row. Default: the start id.</summary>
    /// <param name="labels">The row (T).</param>
    protected virtual long FirstId(ReadOnlySpan<long> labels) => DecoderStartTokenId;

    /// <summary>Labels (B, T) as the decoder's input: moved one to the right behind the start id.</summary>
    private Tensor ShiftedRight(Tensor labels, Scope scope)
    {
        long[] ids = labels.To(DType.Int64).ToArray<long>();
        int length = (int)labels.Shape[1];
        long[] shifted = [.. Enumerable.Range(0, ids.Length).Select(i => i % length == 0 ? FirstId(ids.AsSpan(i, length)) : ids[i - 1] == -100 ? PadTokenId : ids[i - 1])];
        return scope.From(shifted, labels.Shape);
    }
}
