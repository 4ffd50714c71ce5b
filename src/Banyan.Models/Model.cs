using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>A whole network with a configuration: what <see cref="ModelRegistry"/> builds and Hugging Face folders hold.</summary>
public abstract class Model : Module
{
    /// <summary>Keeps the configuration.</summary>
    protected Model(ConfigReader config) => ConfigJson = config.Json;

    /// <summary>Its configuration as the text of <c>config.json</c>.</summary>
    public string ConfigJson { get; }

    /// <summary>Where the hidden states appear that transformers lists: name (<c>hidden.0</c>) and path of the module whose output each is.</summary>
    public abstract IEnumerable<(string Name, string Path)> HiddenStates { get; }

    /// <summary>Names that a checkpoint may hold although the model has no such weight: tied copies and tables that are computed.</summary>
    public virtual bool IsRedundant(string checkpointName) => false;

    /// <summary>The tensor that stands for one that a checkpoint lacks, such as the embedding for a head that is tied to it; null: none does.</summary>
    /// <param name="name">The name of the tensor that is missing.</param>
    public virtual string? StandIn(string name) => null;

    /// <summary>The prefix of the part that base checkpoints hold without their prefix (<c>transformer.</c> of GPT-2), or "".</summary>
    public virtual string BasePrefix => "";

    /// <summary>One forward call by named arguments, as transformers would make it.</summary>
    /// <param name="inputs">The arguments; labels among them give a loss.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    public abstract ModelOutputs Run(ModelInputs inputs, ForwardPass pass);
}
