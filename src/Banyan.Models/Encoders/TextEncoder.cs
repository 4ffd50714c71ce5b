using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// A network that turns each token of a text into a vector, seeing the text on both sides. The tasks (<see cref="EncoderTask"/>) put heads on
/// top; an architecture is one encoder, and each of its tasks one row of <see cref="ModelRegistry"/>.
/// </summary>
public abstract class TextEncoder : Module
{
    /// <summary>Its name in the checkpoints of tasks, for example <c>bert</c>.</summary>
    public abstract string Name { get; }

    /// <summary>C.</summary>
    public abstract int HiddenSize { get; }

    /// <summary>Dropout before the head of a classification task.</summary>
    public abstract double ClassifierDropout { get; }

    /// <summary>The token embedding (V, C), which heads of language models share.</summary>
    public abstract Parameter EmbeddingWeight { get; }

    /// <summary>Places of the hidden states below the encoder's own path (which ends in a dot, or is empty).</summary>
    public abstract IEnumerable<(string Name, string Path)> HiddenStates(string path);

    /// <summary>The tokens among the arguments of a call. Default: with their mask, positions and types.</summary>
    public virtual TokenBatch Tokens(ModelInputs inputs, ForwardPass pass) => inputs.Tokens(pass.Scope, types: true);

    /// <summary>Hidden states (tokens, C).</summary>
    public abstract Tensor Forward(TokenBatch batch, ForwardPass pass);

    /// <summary>One vector for each sequence (sequences, C), or null where the encoder was built without a pooler.</summary>
    public abstract Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass);

    /// <summary>True for names of its checkpoints that no weight stands behind.</summary>
    public virtual bool IsRedundant(string checkpointName) => false;
}
