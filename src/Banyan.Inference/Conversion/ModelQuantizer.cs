using Banyan.Checkpoints;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>A tensor in blocks and what that did to it.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Its type.</param>
/// <param name="Error">The root mean squared error over the root mean square.</param>
public sealed record QuantizedTensor(string Name, string Type, double Error);

/// <summary>What quantizing a model made.</summary>
/// <param name="Path">The file.</param>
/// <param name="Parameters">Numbers in all tensors.</param>
/// <param name="BytesBefore">Bytes of the tensors before.</param>
/// <param name="Bytes">Bytes of the tensors in the file.</param>
/// <param name="Tensors">Those in blocks.</param>
/// <param name="Divergence">What it did to the predictions on a text; null where none was given.</param>
public sealed record QuantizationResult(string Path, long Parameters, long BytesBefore, long Bytes, IReadOnlyList<QuantizedTensor> Tensors, DivergenceResult? Divergence)
{
    /// <summary>Bits that a number takes on average.</summary>
    public double BitsPerWeight => 8.0 * Bytes / Parameters;
}

/// <summary>Writes models in llama.cpp's mixtures of quantized types. The file is read again and compared tensor by tensor; one that is further from the model than its types explain does not stay.</summary>
/// <example><code>
/// QuantizationResult r = ModelQuantizer.Run("Qwen2.5-0.5B", "q4_k_m", "qwen-q4_k_m.gguf");
/// </code></example>
public static class ModelQuantizer
{
    /// <summary>Writes a model.</summary>
    /// <param name="source">A folder, or a file of another format.</param>
    /// <param name="mix">The mixture: <c>q4_0</c>, <c>q4_k_m</c> ...</param>
    /// <param name="output">The file; an older one is replaced once the new one is checked.</param>
    /// <param name="text">Measures on a text, given both models: the changed one, then the original; null: not measured.</param>
    /// <param name="progress">Told the bytes that are written, and how many there will be.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing.</param>
    /// <exception cref="CheckpointException">The model is damaged or has no form in GGUF here, or what was written differs.</exception>
    /// <exception cref="ArgumentException">There is no such mixture.</exception>
    public static QuantizationResult Run(string source, string mix, string output, Func<LanguageModel, LanguageModel, DivergenceResult>? text = null, IProgress<(long Done, long Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        using IModelReader reader = ModelReader.Open(source);
        GgufExport export;
        if (reader is GgufModel gguf)
        {
            export = GgufExport.Quantize(gguf.File, mix);
        }
        else
        {
            export = GgufExport.Plan(reader, new() { Mix = mix });
            GgufVocabularyExport.Add(export.Metadata, reader, export.Tensors.FirstOrDefault(t => t.Name == "token_embd.weight")?.Shape[0] ?? 0);
        }
        long total = export.Tensors.Sum(t => t.ByteCount);
        string full = Path.GetFullPath(output), temporary = $"{Path.ChangeExtension(full, null)}.{Guid.NewGuid():N}.gguf";
        try
        {
            export.Write(temporary, progress is null ? null : new SyncProgress<long>(done => progress.Report((done, total))), cancellationToken);
            List<QuantizedTensor> tensors = Check(export, reader.Path, temporary, cancellationToken);
            DivergenceResult? divergence = text?.Invoke(LanguageModel.Load(temporary), LanguageModel.Load(source, precision: WeightPrecision.Float32));
            if (divergence is { } d && !double.IsFinite(d.MeanKl))
            {
                throw new CheckpointException(source, "the predictions of what was written are not finite; nothing was left");
            }
            File.Move(temporary, full, overwrite: true);
            return new(output, export.Tensors.Sum(t => t.ElementCount), reader.Names.Sum(n => StoredBytes(reader, n)), total, tensors, divergence);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static long StoredBytes(IModelReader reader, string name) => reader is GgufModel gguf ? gguf.StoredBytes(name) : reader.Get(name).ByteCount;

    private static List<QuantizedTensor> Check(GgufExport export, string source, string written, CancellationToken cancellationToken)
    {
        using GgufFile file = GgufFile.Open(written);
        var tensors = new List<QuantizedTensor>();
        foreach ((TensorEntry tensor, double error) in export.Errors(file, cancellationToken))
        {
            // Far above what rounding does to any distribution of weights, far below what a mistake does.
            double bits = 8.0 * tensor.Type.BlockBytes / tensor.Type.BlockElements, allowed = bits >= 8 ? 0.05 : bits >= 5 ? 0.2 : bits >= 4 ? 0.35 : bits >= 3 ? 0.6 : 1;
            if (!(error <= allowed))
            {
                throw new CheckpointException(source, $"the tensor \"{tensor.Name}\" differs by {error:g3} of its size in {tensor.Type}; at most {allowed} is rounding. Its numbers do not fit the type; nothing was left");
            }
            tensors.Add(new(tensor.Name, tensor.Type.Name, error));
        }
        return tensors;
    }
}
