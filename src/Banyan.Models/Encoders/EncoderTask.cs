using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>An encoder with a head on top: what a task computes from the hidden states.</summary>
public abstract class EncoderTask : Model
{
    private readonly string _path;

    /// <summary>Registers the encoder.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="encoder">The encoder.</param>
    /// <param name="name">Its name within the model; null: <see cref="TextEncoder.Name"/>.</param>
    protected EncoderTask(ConfigReader config, TextEncoder encoder, string? name = null) : base(config)
    {
        name ??= encoder.Name;
        _path = name.Length == 0 ? "" : name + ".";
        Encoder = Add(name, encoder);
    }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => Encoder.HiddenStates(_path);

    /// <inheritdoc/>
    public override string BasePrefix => _path;

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => Encoder.IsRedundant(checkpointName);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch batch = Encoder.Tokens(inputs, pass);
        return Run(Encoder.Forward(batch, pass), batch, inputs, pass);
    }

    /// <summary>The head.</summary>
    /// <param name="hidden">(tokens, C).</param>
    /// <param name="batch">The tokens.</param>
    /// <param name="inputs">The arguments, for labels.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    protected abstract ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass);
}

/// <summary>The encoder alone: <c>BertModel</c> and its like.</summary>
public sealed class BaseEncoder : EncoderTask
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public BaseEncoder(ConfigReader config, TextEncoder encoder) : base(config, encoder, "")
    {
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        inputs.CheckAllRead();
        return new ModelOutputs().With("last_hidden_state", hidden.Reshape(ids.Insert(ids.Rank, Encoder.HiddenSize)))
            .With("pooler_output", Encoder.Pool(hidden, batch, pass));
    }
}
