using System.Runtime.InteropServices;
using System.Text.Json;
using Banyan.Checkpoints;

namespace Banyan.Testing;

/// <summary>
/// One golden case: a JSON description and arrays in a safetensors file. <c>Golden.Open("goldens", "quant", "rtn", "weights")</c> takes the
/// folder's <c>case.json</c> and its <c>tensors.safetensors</c> or <c>golden.safetensors</c>.
/// </summary>
public sealed class Golden : IDisposable
{
    private readonly JsonDocument _document;
    private readonly SafetensorsFile? _tensors;

    private Golden(string json, string? tensors)
    {
        _document = JsonDocument.Parse(File.ReadAllBytes(json), new JsonDocumentOptions { MaxDepth = 256 });
        _tensors = tensors is null ? null : SafetensorsFile.Open(tensors);
        Folder = System.IO.Path.GetDirectoryName(json)!;
    }

    /// <summary>The folder of the case.</summary>
    public string Folder { get; }

    /// <summary>The JSON description.</summary>
    public JsonElement Json => _document.RootElement;

    /// <summary>Names of the arrays.</summary>
    public IReadOnlyList<string> Names => _tensors?.Names ?? [];

    /// <summary>Opens the case in a folder below the shared folder.</summary>
    public static Golden Open(params string[] folder)
    {
        string full = SharedFolder.Get(folder);
        string? tensors = new[] { "tensors.safetensors", "golden.safetensors" }
            .Select(n => System.IO.Path.Combine(full, n)).FirstOrDefault(File.Exists);
        return new Golden(System.IO.Path.Combine(full, "case.json"), tensors);
    }

    /// <summary>Opens a pair <c>name.json</c> and <c>name.safetensors</c> of a folder below the shared folder.</summary>
    public static Golden OpenPair(string name, params string[] folder)
    {
        string full = SharedFolder.Get(folder);
        string tensors = System.IO.Path.Combine(full, name + ".safetensors");
        return new Golden(System.IO.Path.Combine(full, name + ".json"), File.Exists(tensors) ? tensors : null);
    }

    /// <summary>The names of the sub-folders with a <c>case.json</c>, sorted: rows for <c>MemberData</c>.</summary>
    public static IEnumerable<object[]> Cases(params string[] folder) => Directory.EnumerateDirectories(SharedFolder.Get(folder))
        .Where(d => File.Exists(System.IO.Path.Combine(d, "case.json")))
        .Select(d => System.IO.Path.GetFileName(d))
        .Order(StringComparer.Ordinal)
        .Select(n => new object[] { n });

    /// <summary>Files below a folder whose name fits <paramref name="pattern"/>, as sorted paths relative to it: rows for <c>MemberData</c>.</summary>
    public static IEnumerable<object[]> Files(string pattern, params string[] folder)
    {
        string full = SharedFolder.Get(folder);
        return Directory.EnumerateFiles(full, pattern, SearchOption.AllDirectories)
            .Select(f => System.IO.Path.GetRelativePath(full, f))
            .Order(StringComparer.Ordinal)
            .Select(n => new object[] { n });
    }

    /// <summary>True when the case has an array of this name.</summary>
    public bool Has(string name) => _tensors is not null && _tensors.TryGet(name, out _);

    /// <summary>The shape of an array.</summary>
    public long[] Shape(string name) => Entry(name).Shape.ToArray();

    /// <summary>An array's raw bytes.</summary>
    public byte[] Bytes(string name)
    {
        var bytes = new byte[Entry(name).ByteCount];
        _tensors!.Read(name, bytes);
        return bytes;
    }

    /// <summary>An array as float32 (from any float or integer type).</summary>
    public float[] Floats(string name) => Entry(name).Type.Name == "F32"
        ? MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray()
        : Array.ConvertAll(Doubles(name), v => (float)v);

    /// <summary>An array as float64 (from any float or integer type).</summary>
    public double[] Doubles(string name) => ElementReader.Doubles(Entry(name).Type.Name, Bytes(name));

    /// <summary>An integer (or bool) array as int64.</summary>
    public long[] Longs(string name) => ElementReader.Longs(Entry(name).Type.Name, Bytes(name));

    /// <inheritdoc/>
    public void Dispose()
    {
        _tensors?.Dispose();
        _document.Dispose();
    }

    private TensorEntry Entry(string name) => _tensors is null
        ? throw new FileNotFoundException($"{Folder} has no arrays")
        : _tensors.Get(name);
}
