namespace Banyan.Checkpoints;

/// <summary>A checkpoint that also says which model it belongs to: a Hugging Face folder, or a single file of another program.</summary>
public interface IModelReader : ICheckpointReader
{
    /// <summary>The configuration under the keys of Hugging Face's <c>config.json</c>. Each call gives a fresh reader, with no key read.</summary>
    /// <exception cref="CheckpointException">There is none, or it is damaged.</exception>
    ConfigReader ReadConfig();
}

/// <summary>Opens models of every format.</summary>
public static class ModelReader
{
    /// <summary>Opens a model folder (<see cref="ModelFolder"/>), a GGUF file (<see cref="GgufModel"/>) or a llama2.c file <c>*.bin</c> (<see cref="Llama2cFile"/>).</summary>
    /// <exception cref="CheckpointException">There is nothing at this path, or it is damaged or of no known format.</exception>
    public static IModelReader Open(string path)
    {
        if (Directory.Exists(path))
        {
            return ModelFolder.Open(path);
        }
        if (!File.Exists(path))
        {
            throw new CheckpointException(path, "no such file or folder");
        }
        return Path.GetExtension(path) switch
        {
            ".bin" => Llama2cFile.Open(path),
            ".gguf" => GgufModel.Open(path),
            _ => throw new CheckpointException(path, "is no model file; expected a model folder, a GGUF file (*.gguf) or a llama2.c file (*.bin)"),
        };
    }
}
