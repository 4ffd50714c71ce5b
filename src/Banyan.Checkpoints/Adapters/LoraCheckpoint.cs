using Banyan.Checkpoints.Gguf;

namespace Banyan.Checkpoints;

/// <summary>What an adapter adds to one matrix: the product of two small ones.</summary>
/// <param name="Target">The matrix under Hugging Face's name, without <c>.weight</c>.</param>
/// <param name="A">(rank, in), float32.</param>
/// <param name="B">(out, rank), float32.</param>
public sealed record LoraPair(string Target, Tensor A, Tensor B)
{
    /// <summary>The rank.</summary>
    public int Rank => checked((int)A.Shape[0]);
}

/// <summary>
/// An adapter of low rank (Hu et al. 2021, arXiv:2106.09685) as it is stored: PEFT's folder (<c>adapter_config.json</c>, <c>adapter_model.safetensors</c>) or llama.cpp's GGUF file.
/// Both name the matrices of a base model, whose configuration tells how GGUF orders them.
/// </summary>
public sealed record LoraCheckpoint
{
    /// <summary>The numerator of the scale.</summary>
    public required double Alpha { get; init; }

    /// <summary>Whether the scale is alpha / sqrt(rank) (Kalajdzievski 2023, arXiv:2312.03732) instead of alpha / rank. GGUF does not store it.</summary>
    public bool IsRankStabilized { get; init; }

    /// <summary>The adapted matrices.</summary>
    public required IReadOnlyList<LoraPair> Pairs { get; init; }

    /// <summary>Whether there is an adapter at a path.</summary>
    public static bool Is(string path)
    {
        if (Directory.Exists(path))
        {
            return File.Exists(Path.Combine(path, LoraFolder.ConfigName));
        }
        if (Path.GetExtension(path) != ".gguf" || !File.Exists(path))
        {
            return false;
        }
        using GgufFile file = GgufFile.Open(path);
        return file.Metadata.GetString("general.type", "") == "adapter";
    }

    /// <summary>Reads an adapter of either form.</summary>
    /// <param name="path">The folder or the file.</param>
    /// <param name="baseConfig">The configuration of the model that it was made for.</param>
    /// <exception cref="CheckpointException">It is missing or damaged, is of another kind, or adapts what the base model does not have.</exception>
    public static LoraCheckpoint Open(string path, ConfigReader baseConfig) => Directory.Exists(path) ? LoraFolder.Read(path) : LoraGguf.Read(path, baseConfig);

    /// <summary>Writes PEFT's folder.</summary>
    /// <param name="folder">The folder; created where it is missing.</param>
    /// <param name="baseName">What <c>base_model_name_or_path</c> says.</param>
    public void SaveFolder(string folder, string baseName) => LoraFolder.Write(this, folder, baseName);

    /// <summary>Writes llama.cpp's file. The scale of a rank-stabilized adapter has to be given to llama.cpp as sqrt(rank): the file cannot say it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="baseConfig">The configuration of the model that it was made for.</param>
    /// <param name="name">The name of the adapter.</param>
    /// <exception cref="CheckpointException">The base model has no form in GGUF here, or stores an adapted matrix together with others.</exception>
    public void SaveGguf(string path, ConfigReader baseConfig, string name) => LoraGguf.Write(this, path, baseConfig, name);

    /// <summary>The factor of a pair's product.</summary>
    public double Scale(LoraPair pair) => Alpha / (IsRankStabilized ? Math.Sqrt(pair.Rank) : pair.Rank);
}
