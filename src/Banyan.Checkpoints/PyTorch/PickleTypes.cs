namespace Banyan.Checkpoints;

/// <summary>PyTorch's names of element types. A complex number is stored as two parts: a trailing dimension of 2.</summary>
internal static class PickleTypes
{
    /// <summary>The type of a typed storage class such as <c>torch.FloatStorage</c>; a null type for untyped bytes. Null where it is none.</summary>
    public static (StoredType? Type, int Parts)? OfStorage(PickleGlobal global) => (global.Module, global.Name) switch
    {
        ("torch" or "torch.storage", "UntypedStorage") => (null, 1),
        ("torch" or "torch.cuda", "FloatStorage") => (Find("F32"), 1),
        ("torch" or "torch.cuda", "DoubleStorage") => (Find("F64"), 1),
        ("torch" or "torch.cuda", "HalfStorage") => (Find("F16"), 1),
        ("torch" or "torch.cuda", "BFloat16Storage") => (Find("BF16"), 1),
        ("torch" or "torch.cuda", "LongStorage") => (Find("I64"), 1),
        ("torch" or "torch.cuda", "IntStorage") => (Find("I32"), 1),
        ("torch" or "torch.cuda", "ShortStorage") => (Find("I16"), 1),
        ("torch" or "torch.cuda", "CharStorage") => (Find("I8"), 1),
        ("torch" or "torch.cuda", "ByteStorage") => (Find("U8"), 1),
        ("torch" or "torch.cuda", "BoolStorage") => (Find("BOOL"), 1),
        ("torch" or "torch.cuda", "ComplexFloatStorage") => (Find("F32"), 2),
        ("torch" or "torch.cuda", "ComplexDoubleStorage") => (Find("F64"), 2),
        _ => null,
    };

    /// <summary>The type of a dtype such as <c>torch.float32</c>, or null where it is none.</summary>
    public static (StoredType Type, int Parts)? OfDType(PickleGlobal global) => global.Module != "torch" ? null : global.Name switch
    {
        "float32" or "float" => (Find("F32"), 1),
        "float64" or "double" => (Find("F64"), 1),
        "float16" or "half" => (Find("F16"), 1),
        "bfloat16" => (Find("BF16"), 1),
        "int64" or "long" => (Find("I64"), 1),
        "int32" or "int" => (Find("I32"), 1),
        "int16" or "short" => (Find("I16"), 1),
        "int8" => (Find("I8"), 1),
        "uint8" => (Find("U8"), 1),
        "uint16" => (Find("U16"), 1),
        "uint32" => (Find("U32"), 1),
        "uint64" => (Find("U64"), 1),
        "bool" => (Find("BOOL"), 1),
        "float8_e4m3fn" => (Find("F8_E4M3"), 1),
        "float8_e5m2" => (Find("F8_E5M2"), 1),
        "float8_e4m3fnuz" => (Find("F8_E4M3FNUZ"), 1),
        "float8_e5m2fnuz" => (Find("F8_E5M2FNUZ"), 1),
        "float8_e8m0fnu" => (Find("F8_E8M0"), 1),
        "complex32" => (Find("F16"), 2),
        "complex64" => (Find("F32"), 2),
        "complex128" => (Find("F64"), 2),
        _ => null,
    };

    private static StoredType Find(string name) => SafetensorsTypes.Find(name)!;
}
