using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>The labels of a classifier, by the keys of <c>config.json</c>.</summary>
/// <param name="Count">Number of labels.</param>
/// <param name="ProblemType">regression, single_label_classification or multi_label_classification.</param>
public sealed record LabelConfig(int Count, string? ProblemType)
{
    /// <summary>Reads <c>num_labels</c> or <c>id2label</c> (default: two labels) and <c>problem_type</c>.</summary>
    public static LabelConfig Read(ConfigReader c)
    {
        int named = c.GetOptionalObject("id2label")?.Keys.Count ?? 2;
        string? type = c.Has("problem_type") ? c.GetChoice("problem_type", ["regression", "single_label_classification", "multi_label_classification"]) : null;
        return new LabelConfig(c.GetInt("num_labels", named, min: 1, max: 1 << 20), type);
    }

    /// <summary>The loss of logits (rows, labels). Without a problem type one label means regression, integer labels classes, others several of them.</summary>
    public Tensor Loss(Tensor logits, Tensor labels, Scope scope)
    {
        labels = scope.Use(labels);
        string type = ProblemType ?? (Count == 1 ? "regression" : labels.DType.IsFloat ? "multi_label_classification" : "single_label_classification");
        return type switch
        {
            "regression" => Banyan.Loss.Mse(logits, labels.To(logits.DType).Reshape(logits.Shape)),
            "single_label_classification" => Banyan.Loss.CrossEntropy(logits, labels.Reshape(-1)),
            _ => Banyan.Loss.BinaryCrossEntropyWithLogits(logits, labels.To(logits.DType)),
        };
    }
}

/// <summary>One answer for each sequence, from the pooled vector.</summary>
public sealed class SequenceClassification : EncoderTask
{
    private readonly LabelConfig _labels;
    private readonly Dropout _drop;
    private readonly Linear _classifier;

    internal SequenceClassification(ConfigReader config, TextEncoder encoder) : base(config, encoder)
    {
        _labels = LabelConfig.Read(config);
        _drop = Add("dropout", new Dropout(encoder.ClassifierDropout));
        _classifier = Add("classifier", new Linear(encoder.HiddenSize, _labels.Count, initializer: Initializer.Normal(0.02)));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _classifier.Forward(_drop.Forward(Encoder.Pool(hidden, batch, pass)!, pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}

/// <summary>One answer for each sequence, from its first token through a layer of the head's own: out(act(dense(x))).</summary>
public sealed class FirstTokenClassification : EncoderTask
{
    private readonly LabelConfig _labels;
    private readonly Dropout _drop;
    private readonly Linear _dense, _out;
    private readonly Func<Tensor, Tensor> _act;

    /// <summary>An encoder with this head.</summary>
    /// <param name="config">The file.</param>
    /// <param name="encoder">The encoder.</param>
    /// <param name="act">Name of the activation between the layers.</param>
    /// <param name="dense">Name of the first layer. Default: <c>classifier.dense</c>.</param>
    /// <param name="output">Name of the second layer. Default: <c>classifier.out_proj</c>.</param>
    internal FirstTokenClassification(ConfigReader config, TextEncoder encoder, string act, string dense = "classifier.dense", string output = "classifier.out_proj") : base(config, encoder)
    {
        (_labels, _act) = (LabelConfig.Read(config), Activations.Get(act));
        _drop = Add("dropout", new Dropout(encoder.ClassifierDropout));
        _dense = Add(dense, new Linear(encoder.HiddenSize, encoder.HiddenSize, initializer: Initializer.Normal(0.02)));
        _out = Add(output, new Linear(encoder.HiddenSize, _labels.Count, initializer: Initializer.Normal(0.02)));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor first = _act(_dense.Forward(_drop.Forward(batch.First(hidden), pass), pass));
        Tensor logits = _out.Forward(_drop.Forward(first, pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}

/// <summary>A class for each token.</summary>
public sealed class TokenClassification : EncoderTask
{
    private readonly Dropout _drop;
    private readonly Linear _classifier;

    internal TokenClassification(ConfigReader config, TextEncoder encoder) : base(config, encoder)
    {
        _drop = Add("dropout", new Dropout(encoder.ClassifierDropout));
        _classifier = Add("classifier", new Linear(encoder.HiddenSize, LabelConfig.Read(config).Count, initializer: Initializer.Normal(0.02)));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _classifier.Forward(_drop.Forward(hidden, pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : Loss.CrossEntropy(logits, pass.Scope.Use(labels).Reshape(-1)))
            .With("logits", logits.Reshape(ids.Insert(ids.Rank, logits.Shape[1])));
    }
}

/// <summary>Picks one of several continuations: <c>input_ids</c> is (B, choices, T), each choice a sequence of its own.</summary>
public sealed class MultipleChoice : EncoderTask
{
    private readonly Dropout _drop;
    private readonly Linear _classifier;

    internal MultipleChoice(ConfigReader config, TextEncoder encoder) : base(config, encoder)
    {
        _drop = Add("dropout", new Dropout(encoder.ClassifierDropout));
        _classifier = Add("classifier", new Linear(encoder.HiddenSize, 1, initializer: Initializer.Normal(0.02)));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor scores = _classifier.Forward(_drop.Forward(Encoder.Pool(hidden, batch, pass)!, pass), pass);
        Tensor logits = scores.Reshape(-1, ids.Rank < 3 ? 1 : ids[1]);   // (B, choices)
        return new ModelOutputs().With("loss", labels is null ? null : Loss.CrossEntropy(logits, pass.Scope.Use(labels))).With("logits", logits);
    }
}

/// <summary>Finds where in the text an answer starts and ends (SQuAD); positions outside the text do not count in the loss.</summary>
public sealed class QuestionAnswering : EncoderTask
{
    private readonly Linear _outputs;

    internal QuestionAnswering(ConfigReader config, TextEncoder encoder) : base(config, encoder) =>
        _outputs = Add("qa_outputs", new Linear(encoder.HiddenSize, 2, initializer: Initializer.Normal(0.02)));

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? starts = inputs.Find("start_positions"), ends = inputs.Find("end_positions");
        inputs.CheckAllRead();
        Tensor logits = _outputs.Forward(hidden, pass).Reshape(ids[0], ids[1], 2);
        Tensor start = logits.Select(2, 0), end = logits.Select(2, 1);   // (B, T)
        Tensor? loss = starts is null || ends is null ? null : (At(start, starts, pass.Scope) + At(end, ends, pass.Scope)) / 2;
        return new ModelOutputs().With("loss", loss).With("start_logits", start).With("end_logits", end);
    }

    private static Tensor At(Tensor logits, Tensor positions, Scope scope)
    {
        long length = logits.Shape[1];
        long[] rows = [.. positions.ToDoubles().Select(p => p < 0 || p >= length ? -100L : (long)p)];
        return Loss.CrossEntropy(logits.Contiguous(), scope.From(rows, [rows.Length]));
    }
}
