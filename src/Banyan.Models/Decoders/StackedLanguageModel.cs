using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>A stack with a head: the frame of most decoder-only models. An architecture gives it its stack.</summary>
public abstract class StackedLanguageModel : CausalLanguageModel
{
    private readonly string _name;
    private readonly DecoderStack _stack;
    private readonly Linear? _head;
    private readonly HeadBias? _bias;

    /// <summary>Registers the stack and, unless it is tied, the head.</summary>
    /// <param name="config">The file.</param>
    /// <param name="c">What was read from it.</param>
    /// <param name="stack">The layers.</param>
    /// <param name="name">The stack's name in checkpoints. Default: <c>model</c>.</param>
    /// <param name="headBias">Whether the head has a bias. Default: false.</param>
    /// <param name="head">The head's name. Default: <c>lm_head</c>.</param>
    protected StackedLanguageModel(ConfigReader config, DecoderConfig c, DecoderStack stack, string name = "model", bool headBias = false, string head = "lm_head") : base(config)
    {
        (Config, _name, HeadName) = (c, name, head);
        _stack = Add(name, stack);
        _bias = headBias && c.TieWordEmbeddings ? Add(head, new HeadBias(c.VocabSize)) : null;
        _head = c.TieWordEmbeddings ? null : Add(head, new Linear(c.HiddenSize, c.VocabSize, headBias, initializer: Initializer.Normal(c.InitializerRange)));
        HeadWeight = _head?.Weight ?? stack.EmbeddingWeight;
    }

    /// <summary>What the model was built from.</summary>
    public DecoderConfig Config { get; }

    /// <summary>The head's name in checkpoints.</summary>
    protected string HeadName { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.MaxPositionEmbeddings;

    /// <inheritdoc/>
    public override Parameter HeadWeight { get; }

    /// <inheritdoc/>
    protected override bool HasPlainHead => _head?.Bias is null && _bias is null;

    /// <inheritdoc/>
    public override string BasePrefix => _name + ".";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => _stack.HiddenStates(_name);

    // Old checkpoints store the rotary frequencies and causal masks.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)
        || checkpointName.EndsWith(".attn.bias", StringComparison.Ordinal) || checkpointName.EndsWith(".attn.masked_bias", StringComparison.Ordinal)
        || (_head is null && checkpointName == $"{HeadName}.weight");

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _stack.Forward(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) =>
        _head is not null ? _head.Forward(hidden, pass) : _bias is null ? base.Logits(hidden, pass) : Ops.Linear.Apply(hidden, HeadWeight, _bias.Bias);

    /// <summary>The bias of a head whose weight is the embedding.</summary>
    private sealed class HeadBias : Module
    {
        public HeadBias(int count) => Bias = Add("bias", [count], Initializer.Zeros);

        public Parameter Bias { get; }
    }
}
