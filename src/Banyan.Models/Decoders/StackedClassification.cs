using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>A decoder as a classifier: one answer for each sequence, from the hidden state of its last token. Parameters: the stack and <c>score</c>.</summary>
public abstract class StackedClassification : Model
{
    private readonly string _name;
    private readonly DecoderStack _stack;
    private readonly Linear _score;
    private readonly LabelConfig _labels;

    /// <summary>A stack with a head for classes.</summary>
    /// <param name="config">The file.</param>
    /// <param name="c">What was read from it.</param>
    /// <param name="stack">The layers.</param>
    /// <param name="name">The stack's name in checkpoints. Default: <c>model</c>.</param>
    protected StackedClassification(ConfigReader config, DecoderConfig c, DecoderStack stack, string name = "model") : base(config)
    {
        (_name, _labels) = (name, LabelConfig.Read(config));
        _stack = Add(name, stack);
        _score = Add("score", new Linear(c.HiddenSize, _labels.Count, bias: false, initializer: Initializer.Normal(c.InitializerRange)));
    }

    /// <inheritdoc/>
    public override string BasePrefix => _name + ".";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => _stack.HiddenStates(_name);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids");
        Tensor? mask = inputs.Find("attention_mask"), labels = inputs.Find("labels");
        TokenBatch batch = inputs.Tokens(pass.Scope);
        inputs.CheckAllRead();
        long length = ids.Shape[1];
        double[]? real = mask?.ToDoubles();
        long[] last = [.. Enumerable.Range(0, (int)ids.Shape[0]).Select(b => b * length + Enumerable.Range(0, (int)length).Last(t => real is null || real[b * length + t] != 0))];
        Tensor logits = _score.Forward(_stack.Forward(batch, pass).Embedding(pass.Scope.From(last, [last.Length])), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}
