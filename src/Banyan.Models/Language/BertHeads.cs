using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// The heads that only BERT has: masked tokens, next sentence, both (pretraining), and the next token.

internal static class BertHeads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((BertModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }

    /// <summary>The head that tells whether the second segment follows the first (class 0) or not (class 1).</summary>
    public static Linear NextSentence(BertModel encoder) => new(encoder.HiddenSize, 2, initializer: Initializer.Normal(encoder.Config.InitializerRange));
}

/// <summary>Does the second segment follow the first? <c>BertForNextSentencePrediction</c>.</summary>
public sealed class BertForNextSentencePrediction : EncoderTask
{
    private readonly Linear _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    public BertForNextSentencePrediction(ConfigReader config) : base(config, new BertModel(config, pooler: true)) =>
        _head = Add("cls.seq_relationship", BertHeads.NextSentence((BertModel)Encoder));

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _head.Forward(Encoder.Pool(hidden, batch, pass)!, pass);
        return new ModelOutputs().With("loss", labels is null ? null : Loss.CrossEntropy(logits, pass.Scope.Use(labels).Reshape(-1))).With("logits", logits);
    }
}

/// <summary>Masked tokens and next sentence at once, the losses added: <c>BertForPreTraining</c>.</summary>
public sealed class BertForPreTraining : EncoderTask
{
    private readonly MaskedHead _masked;
    private readonly Linear _next;

    /// <summary>A model without weights; initialise or load it.</summary>
    public BertForPreTraining(ConfigReader config) : base(config, new BertModel(config, pooler: true))
    {
        ConfigChecks.Only(config, "tie_word_embeddings", true, "the head is the embedding");
        _masked = Add("", BertHeads.Masked(Encoder));
        _next = Add("cls.seq_relationship", BertHeads.NextSentence((BertModel)Encoder));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? labels = inputs.Find("labels"), next = inputs.Find("next_sentence_label");
        inputs.CheckAllRead();
        Tensor tokens = _masked.Forward(hidden, pass), sentences = _next.Forward(Encoder.Pool(hidden, batch, pass)!, pass);
        Tensor? loss = labels is null || next is null ? null
            : Loss.CrossEntropy(tokens, pass.Scope.Use(labels).Reshape(-1)) + Loss.CrossEntropy(sentences, pass.Scope.Use(next).Reshape(-1));
        return new ModelOutputs().With("loss", loss).With("prediction_logits", tokens.Reshape(ids.Insert(ids.Rank, tokens.Shape[1])))
            .With("seq_relationship_logits", sentences);
    }
}

/// <summary>BERT as a decoder: <c>BertLMHeadModel</c>.</summary>
public sealed class BertLMHeadModel : CausalLanguageModel
{
    private readonly BertModel _model;
    private readonly MaskedHead _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    public BertLMHeadModel(ConfigReader config) : this(config, new BertModel(config, pooler: false))
    {
    }

    internal BertLMHeadModel(ConfigReader config, BertModel model) : base(config)
    {
        ConfigChecks.Only(config, "tie_word_embeddings", true, "the head is the embedding");
        _model = Add("bert", model);
        _head = Add("", BertHeads.Masked(_model));
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config => _model.Config;

    /// <summary>The layers, without the head.</summary>
    internal BertModel Bert => _model;

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.MaxPositionEmbeddings;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _model.EmbeddingWeight;

    /// <inheritdoc/>
    protected override bool HasPlainHead => false;

    /// <inheritdoc/>
    public override string BasePrefix => "bert.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => _model.HiddenStates("bert.");

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => _model.IsRedundant(checkpointName);

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _model.Forward(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _head.Forward(hidden, pass);
}
