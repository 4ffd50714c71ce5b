using System.Runtime.InteropServices;
using Banyan.Checkpoints;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>The arrays of one safetensors file as tensors.</summary>
internal sealed class ArrayFile(string path)
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(path);

    public IReadOnlyList<string> Names => _file.Names;

    public bool Has(string name) => _file.TryGet(name, out _);

    public Tensor Get(string name)
    {
        TensorEntry entry = _file.Get(name);
        var bytes = new byte[entry.ByteCount];
        _file.Read(name, bytes);
        Shape shape = entry.Shape.ToArray();
        return entry.Type.Name switch
        {
            "F32" => Tensor.From(MemoryMarshal.Cast<byte, float>(bytes), shape),
            "F64" => Tensor.From(MemoryMarshal.Cast<byte, double>(bytes), shape),
            "I64" => Tensor.From(MemoryMarshal.Cast<byte, long>(bytes), shape),
            "BOOL" => Tensor.From(MemoryMarshal.Cast<byte, bool>(bytes), shape),
            _ => Tensor.From((ReadOnlySpan<byte>)bytes, shape),
        };
    }

    public float[] Floats(string name) => Get(name).ToArray<float>();
}
