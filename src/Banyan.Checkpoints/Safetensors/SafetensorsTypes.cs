namespace Banyan.Checkpoints;

/// <summary>The element types of the safetensors format.</summary>
public static class SafetensorsTypes
{
    // In the reference library's order, smallest alignment first: its writer lays tensors out from the last type to the first.
    private static readonly StoredType[] Ascending =
    [
        Plain("BOOL", 1), new("F4", 2, 1, null), new("F6_E2M3", 4, 3, null), new("F6_E3M2", 4, 3, null), Plain("U8", 1), Plain("I8", 1),
        Plain("F8_E5M2", 1), Plain("F8_E4M3", 1), Plain("F8_E8M0", 1), Plain("F8_E4M3FNUZ", 1), Plain("F8_E5M2FNUZ", 1), Plain("I16", 2),
        Plain("U16", 2), Plain("F16", 2), Plain("BF16", 2), Plain("I32", 4), Plain("U32", 4), Plain("F32", 4), Plain("C64", 8),
        Plain("F64", 8), Plain("I64", 8), Plain("U64", 8),
    ];

    /// <summary>Every type that a safetensors file can hold.</summary>
    public static IReadOnlyList<StoredType> All => Ascending;

    /// <summary>The type of a header's <c>dtype</c>, or null. Names are case-sensitive.</summary>
    public static StoredType? Find(string name) => Array.Find(Ascending, t => t.Name == name);

    internal static int Rank(StoredType type) => Array.FindIndex(Ascending, t => t.Name == type.Name);

    private static StoredType Plain(string name, int bytes) => new(name, 1, bytes, DType.FromSafetensorsName(name));
}
