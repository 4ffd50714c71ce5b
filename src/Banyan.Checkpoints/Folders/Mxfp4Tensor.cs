using System.Diagnostics.CodeAnalysis;
using Banyan.Quant;

namespace Banyan.Checkpoints;

/// <summary>
/// A tensor (experts, in, out) that a folder holds in MXFP4 as gpt-oss does: <c>NAME_blocks</c> (experts, out, in / 32, 16), two numbers in a byte, the first low, and
/// <c>NAME_scales</c> (experts, out, in / 32), powers of two. Read as bfloat16, which holds every such number.
/// </summary>
internal sealed class Mxfp4Tensor : ICheckpointReader
{
    private const string Blocks = "_blocks", Scales = "_scales";
    private const int BlockElements = 32, HalfBlock = 16;

    private readonly ICheckpointReader _blocks, _scales;
    private readonly TensorEntry _entry;

    private Mxfp4Tensor(string name, ICheckpointReader blocks, ICheckpointReader scales)
    {
        (_blocks, _scales) = (blocks, scales);
        long[] shape = blocks.Get(name + Blocks).Shape.ToArray(), exponents = scales.Get(name + Scales).Shape.ToArray();
        if (shape.Length < 3 || shape[^1] != HalfBlock || !shape[..^1].AsSpan().SequenceEqual(exponents) || blocks.Get(name + Blocks).ByteCount != shape.Aggregate(1L, (a, b) => a * b))
        {
            throw new CheckpointException(blocks.Path, $"{name}{Blocks} of the shape {new Shape(shape)} and {name}{Scales} of the shape {new Shape(exponents)} are no MXFP4 tensor");
        }
        _entry = new TensorEntry(name, StoredType.From(DType.BFloat16), [.. shape[..^3], checked(shape[^2] * BlockElements), shape[^3]]);
        Names = [name];
    }

    public string Path => _blocks.Path;

    public IReadOnlyList<string> Names { get; }

    /// <summary>Finds the pairs among the tensors of a folder and puts one tensor in the place of each.</summary>
    public static void Join(List<string> names, Dictionary<string, ICheckpointReader> fileOf)
    {
        foreach (string name in names.Where(n => n.EndsWith(Blocks, StringComparison.Ordinal)).Select(n => n[..^Blocks.Length]).Where(n => fileOf.ContainsKey(n + Scales)).ToArray())
        {
            var joined = new Mxfp4Tensor(name, fileOf[name + Blocks], fileOf[name + Scales]);
            names[names.IndexOf(name + Blocks)] = name;
            names.Remove(name + Scales);
            fileOf.Remove(name + Blocks);
            fileOf.Remove(name + Scales);
            fileOf.Add(name, joined);
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = name == _entry.Name ? _entry : null;
        return entry is not null;
    }

    public TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        using TensorBytes blocks = _blocks.Map(name + Blocks), scales = _scales.Map(name + Scales);
        int inner = checked((int)entry.Shape[^2]), rows = checked((int)entry.Shape[^1]);
        int perRow = inner / BlockElements, matrix = inner * rows;
        Tensor result = Tensor.Zeros(new Shape(entry.Shape), DType.BFloat16);
        float[] values = new float[matrix];
        Span<float> block = stackalloc float[BlockElements];
        Span<byte> ggml = stackalloc byte[1 + HalfBlock];
        BlockFormat format = BlockFormats.FromName("MXFP4")!;
        for (long e = 0; e < entry.ElementCount / Math.Max(1, matrix); e++)
        {
            for (int row = 0; row < rows; row++)
            {
                for (int b = 0; b < perRow; b++)
                {
                    long at = (((e * rows) + row) * perRow) + b;
                    Repack(scales.Slice(at, 1)[0], blocks.Slice(at * HalfBlock, HalfBlock), ggml);
                    format.Dequantize(ggml, block);
                    for (int j = 0; j < BlockElements; j++)
                    {
                        values[(((b * BlockElements) + j) * rows) + row] = block[j];
                    }
                }
            }
            result.Slice(0, e, 1).CopyFrom(Tensor.From(values, [1, inner, rows]));
        }
        return TensorBytes.Of(result);
    }

    public void Dispose()
    {
        // The files are the folder's.
    }

    // ggml holds the exponent first, and number j beside number j + 16.
    private static void Repack(byte exponent, ReadOnlySpan<byte> pairs, Span<byte> block)
    {
        block[0] = exponent;
        for (int j = 0; j < HalfBlock; j++)
        {
            int low = pairs[j / 2] >> (4 * (j % 2)) & 15, high = pairs[8 + (j / 2)] >> (4 * (j % 2)) & 15;
            block[1 + j] = (byte)(low | high << 4);
        }
    }
}
