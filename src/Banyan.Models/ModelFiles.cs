using System.Text;
using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>What numbers a model computes with.</summary>
public enum WeightPrecision
{
    /// <summary>float32 throughout.</summary>
    Float32,

    /// <summary>
    /// Weights stay as the file has them. Those of 16 bits give the results of float32 with half the memory; those in blocks (<see cref="Banyan.Quant.BlockFormat"/>) are multiplied as
    /// whole numbers: a fraction of the memory and of the time.
    /// </summary>
    Stored,
}

/// <summary>Loads and saves models as Hugging Face folders.</summary>
public static class ModelFiles
{
    /// <summary>Builds the model of a folder and gives it the folder's weights.</summary>
    /// <param name="path">A folder with <c>config.json</c> and safetensors files.</param>
    /// <param name="registry">Known architectures; null: Banyan's own.</param>
    /// <param name="trainable">True copies the weights into memory; false maps the files, and nothing can change them. Default: false.</param>
    /// <exception cref="CheckpointException">A file is missing or damaged, or weights and configuration disagree.</exception>
    public static Model Load(string path, ModelRegistry? registry = null, bool trainable = false)
    {
        using ModelFolder folder = ModelFolder.Open(path);
        Model model = (registry ?? ModelRegistry.Default).Create(folder.ReadConfig());
        LoadWeights(model, folder, trainable);
        return model;
    }

    /// <summary>Gives a model the weights of a checkpoint, by name.</summary>
    /// <param name="model">The model.</param>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="trainable">True copies the weights into memory; false maps the files where it can.</param>
    /// <param name="precision">Whether weights in blocks or of 16 bits stay so; trainable ones do not. Default: they become float32.</param>
    /// <exception cref="CheckpointException">Weights and configuration disagree.</exception>
    public static void LoadWeights(Model model, ICheckpointReader reader, bool trainable, WeightPrecision precision = WeightPrecision.Float32)
    {
        precision = trainable ? WeightPrecision.Float32 : precision;
        string prefix = model.BasePrefix.Length > 0 && !reader.Names.Any(n => n.StartsWith(model.BasePrefix, StringComparison.Ordinal)) ? model.BasePrefix : "";
        HashSet<string> unread = [.. reader.Names];
        foreach ((string name, Parameter p) in model.NamedParameters())
        {
            string stored = prefix.Length > 0 && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            stored = !reader.TryGet(stored, out _) && model.StandIn(name) is { } other ? other : stored;
            Check(reader, stored, p);
            unread.Remove(stored);
            if (precision == WeightPrecision.Stored && p.AcceptsBlocks && (reader as IBlockReader)?.MapBlocks(stored) is { } blocks)
            {
                p.Value = blocks;
                continue;
            }
            // The kernels compute in float32: what is stored in half of that is widened, which loses nothing, at once or (where the layer knows how) when it is read.
            Tensor mapped = reader.MapTensor(stored);
            bool isHalf = (mapped.DType == DType.Float16 || mapped.DType == DType.BFloat16) && !(precision == WeightPrecision.Stored && p.AcceptsBlocks);
            p.Value = isHalf ? reader.LoadTensor(stored, DType.Float32) : trainable ? reader.LoadTensor(stored) : mapped;
            if (p.Value.DType.IsFloat)
            {
                p.IsTrainable = trainable && !p.IsBuffer;
            }
        }
        if (unread.FirstOrDefault(n => !model.IsRedundant(prefix + n)) is { } extra)
        {
            throw new CheckpointException(reader.Path, $"holds the tensor \"{extra}\", which this configuration has no place for"
                + NearestName.Hint(extra, model.NamedParameters().Select(p => p.Name)));
        }
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c> (in shards where large); each file appears whole or not at all.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The folder; created where it is missing.</param>
    /// <param name="maxShardBytes">The most data bytes in one file.</param>
    public static void Save(this Model model, string path, long maxShardBytes = ShardedSafetensorsWriter.DefaultMaxShardBytes)
    {
        Directory.CreateDirectory(path);
        var tensors = model.NamedParameters().Select(p => (p.Name, p.Parameter.Value)).ToList();
        // The format has no blocks: they are written as the numbers that they stand for.
        using var writer = ShardedSafetensorsWriter.Create(path, tensors.Select(t => new TensorEntry(t.Name, Plain(t.Value), t.Value.Shape.Span)), maxShardBytes);
        foreach ((string name, Tensor value) in tensors)
        {
            writer.Write(name, value.To(Plain(value)));
        }
        writer.Commit();
        AtomicFile.WriteAllBytes(System.IO.Path.Combine(path, "config.json"), Encoding.UTF8.GetBytes(model.ConfigJson));
    }

    private static DType Plain(Tensor value) => value.DType.Format is null ? value.DType : DType.Float32;

    private static void Check(ICheckpointReader reader, string name, Parameter p)
    {
        TensorEntry entry = reader.Get(name);
        if (!entry.Shape.SequenceEqual(p.Shape.Span))
        {
            throw new CheckpointException(reader.Path, $"tensor \"{name}\" has the shape {new Shape(entry.Shape)}; the configuration expects {p.Shape}");
        }
    }
}
