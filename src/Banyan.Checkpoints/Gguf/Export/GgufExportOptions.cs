using System.Text.Json.Nodes;

namespace Banyan.Checkpoints;

/// <summary>How a model is written as GGUF.</summary>
public sealed record GgufExportOptions
{
    /// <summary>The type of matrices: <c>f32</c>, <c>f16</c>, <c>bf16</c>, a block type such as <c>q8_0</c>, or <c>auto</c> (bf16 where the model is stored so, else f16). Default: auto.</summary>
    public string Type { get; init; } = "auto";

    /// <summary>A mixture of quantized types instead, as llama.cpp's (<c>q4_k_m</c>): what errors hurt most keeps more bits; null: none.</summary>
    public string? Mix { get; init; }

    /// <summary>The name of the model; null: that of its folder.</summary>
    public string? Name { get; init; }

    /// <summary>The header of the model's README.md (author, licence, base models, tags, languages); null: none.</summary>
    public JsonObject? Card { get; init; }

    /// <summary>Texts that replace others in the metadata, by their whole key (<c>general.author</c>); null: none.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>Whether only metadata and tokenizer are written. Default: no.</summary>
    public bool VocabularyOnly { get; init; }

    /// <summary>The most tensors in one file, which makes several of a larger model; null: no limit.</summary>
    public int? MaxTensorsPerFile { get; init; }

    /// <summary>The most bytes of tensors in one file (a single tensor may be larger); null: no limit.</summary>
    public long? MaxBytesPerFile { get; init; }
}
