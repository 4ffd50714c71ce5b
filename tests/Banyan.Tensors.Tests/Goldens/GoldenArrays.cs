using System.Buffers.Binary;
using System.Text.Json;

namespace Banyan.Tensors.Tests.Goldens;

/// <summary>The arrays of one golden safetensors file.</summary>
internal sealed class GoldenArrays
{
    private readonly byte[] _data;
    private readonly Dictionary<string, JsonElement> _entries = [];
    private readonly int _start;

    public GoldenArrays(string path)
    {
        _data = File.ReadAllBytes(path);
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(_data);
        _start = 8 + header;
        using var json = JsonDocument.Parse(_data.AsMemory(8, header));
        foreach (JsonProperty p in json.RootElement.EnumerateObject())
        {
            if (p.Name != "__metadata__")
            {
                _entries[p.Name] = p.Value.Clone();
            }
        }
    }

    /// <summary>The array as a tensor outside any scope.</summary>
    public Tensor Get(string name)
    {
        JsonElement e = _entries[name];
        DType dtype = DType.FromSafetensorsName(e.GetProperty("dtype").GetString()!)
            ?? throw new NotSupportedException($"{name}: {e.GetProperty("dtype")}");
        long[] shape = [.. e.GetProperty("shape").EnumerateArray().Select(v => v.GetInt64())];
        int begin = e.GetProperty("data_offsets")[0].GetInt32(), end = e.GetProperty("data_offsets")[1].GetInt32();
        Tensor t = Tensor.Zeros(new Shape(shape), dtype);
        Span<byte> bytes = _data.AsSpan(_start + begin, end - begin);
        if (dtype == DType.Float32) Copy<float>();
        else if (dtype == DType.Float64) Copy<double>();
        else if (dtype == DType.Int64) Copy<long>();
        else if (dtype == DType.Int32) Copy<int>();
        else if (dtype == DType.BFloat16) Copy<BFloat16>();
        else if (dtype == DType.Float16) Copy<Half>();
        else if (dtype == DType.Bool) Copy<bool>();
        else Copy<byte>();
        return t;

        void Copy<T>() where T : unmanaged =>
            t.CopyFrom<T>(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(_data.AsSpan(_start + begin, end - begin)));
    }
}
