using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Where the parts of a <see cref="MaskedHead"/> lie in the checkpoints of an architecture.</summary>
/// <param name="Dense">The layer from C to the width of the embedding.</param>
/// <param name="Norm">The norm after it.</param>
/// <param name="Bias">The bias of the logits.</param>
/// <param name="DenseBias">Whether the layer has a bias. Default: true.</param>
/// <param name="NormBias">Whether the norm has a bias. Default: true.</param>
public sealed record MaskedHeadNames(string Dense, string Norm, string Bias, bool DenseBias = true, bool NormBias = true);

/// <summary>Logits of tokens: norm(act(dense(x))) E^T + b with the embedding E (V, C).</summary>
public sealed class MaskedHead : Module
{
    private readonly Linear _dense;
    private readonly LayerNorm _norm;
    private readonly Parameter _bias, _embedding;
    private readonly Func<Tensor, Tensor> _act;

    internal MaskedHead(TextEncoder encoder, MaskedHeadNames names, Func<Tensor, Tensor> act, double eps, double initializerRange)
    {
        _embedding = encoder.EmbeddingWeight;
        _act = act;
        long width = _embedding.Shape[1];
        _dense = Add(names.Dense, new Linear(encoder.HiddenSize, width, names.DenseBias, initializer: Initializer.Normal(initializerRange)));
        _norm = Add(names.Norm, new LayerNorm(width, eps, names.NormBias));
        _bias = Add(names.Bias, [_embedding.Shape[0]], Initializer.Zeros);
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) =>
        pass.Visit(this, Ops.Linear.Apply(_norm.Forward(_act(_dense.Forward(x, pass)), pass), _embedding, _bias));
}

/// <summary>Fills in masked tokens (Devlin et al. 2019): the loss is the mean over the tokens whose label is not -100.</summary>
public sealed class MaskedLanguageModel : EncoderTask
{
    private readonly MaskedHead _head;

    internal delegate MaskedHead HeadOf(TextEncoder encoder);

    internal MaskedLanguageModel(ConfigReader config, TextEncoder encoder, HeadOf head) : base(config, encoder)
    {
        ConfigChecks.Only(config, "tie_word_embeddings", true, "the head is the embedding");
        _head = Add("", head(encoder));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _head.Forward(hidden, pass);
        Tensor? loss = labels is null ? null : Loss.CrossEntropy(logits, pass.Scope.Use(labels).Reshape(-1));
        return new ModelOutputs().With("loss", loss).With("logits", logits.Reshape(ids.Insert(ids.Rank, logits.Shape[1])));
    }
}
