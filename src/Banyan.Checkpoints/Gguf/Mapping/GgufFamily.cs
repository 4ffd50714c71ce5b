using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>How one architecture of GGUF and one of Hugging Face translate into each other.</summary>
internal sealed class GgufFamily
{
    /// <summary>GGUF's name, for example <c>qwen2</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The class in <c>architectures</c>.</summary>
    public required string HfArchitecture { get; init; }

    /// <summary>The <c>model_type</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>The hyperparameters, in the order in which they are written.</summary>
    public required IReadOnlyList<GgufKey> Keys { get; init; }

    /// <summary>The tensors of a configuration. Tensors that the source does not have are left out.</summary>
    public required Func<ConfigReader, IEnumerable<TensorRule>> Tensors { get; init; }

    /// <summary>What the configuration has and the metadata cannot say: it is seen in the tensors, or is always so.</summary>
    public Action<JsonObject, GgufFile>? Complete { get; init; }

    /// <summary>Whether a GGUF file of this architecture is of this family, where several share a name.</summary>
    public Func<GgufFile, bool> Accepts { get; init; } = _ => true;

    /// <summary>Tensors that are written although the folder has none, computed from the configuration.</summary>
    public Func<ConfigReader, IEnumerable<(string Name, float[] Values)>> Generated { get; init; } = _ => [];

    /// <summary>Whether <c>general.file_type</c> is written: the reference leaves it out for some.</summary>
    public bool HasFileType { get; init; } = true;

    /// <summary>Other names in a folder for the tensor of a name.</summary>
    public Func<string, IEnumerable<string>> Same { get; init; } = _ => [];

    /// <summary>Tensors of a folder that have no place in GGUF and follow from others: tied heads, buffers.</summary>
    public Func<string, bool> IsRedundant { get; init; } = _ => false;
}
