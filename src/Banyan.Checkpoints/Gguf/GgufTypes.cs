using Banyan.Quant;

namespace Banyan.Checkpoints;

/// <summary>The types of tensors in GGUF files, by the numbers that ggml gives them.</summary>
public static class GgufTypes
{
    private static readonly (int Id, StoredType Type)[] s_dense =
    [
        (0, StoredType.From(DType.Float32)), (1, StoredType.From(DType.Float16)), (24, StoredType.From(DType.Int8)), (25, StoredType.From(DType.Int16)),
        (26, StoredType.From(DType.Int32)), (27, StoredType.From(DType.Int64)), (28, StoredType.From(DType.Float64)), (30, StoredType.From(DType.BFloat16)),
    ];

    private static readonly Dictionary<uint, StoredType> s_types = s_dense.Select(d => ((uint)d.Id, d.Type))
        .Concat(BlockFormats.All.Select(f => (f.GgmlType, new StoredType(f.Name, f.BlockElements, f.BlockBytes, null)))).ToDictionary(d => d.Item1, d => d.Item2);

    /// <summary>Every type, by its number.</summary>
    public static IReadOnlyDictionary<uint, StoredType> All => s_types;

    /// <summary>ggml's number of a type. Throws <see cref="ArgumentException"/> where GGUF has none.</summary>
    public static uint IdOf(StoredType type) => s_types.Where(t => t.Value.Name == type.Name).Select(t => (uint?)t.Key).FirstOrDefault()
        ?? throw new ArgumentException($"GGUF has no type {type}; expected one of {string.Join(", ", s_types.Values)}");
}
