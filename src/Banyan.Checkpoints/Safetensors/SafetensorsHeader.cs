using System.Buffers.Binary;
using System.Text.Json;

namespace Banyan.Checkpoints;

/// <summary>
/// Reads and checks the header of a safetensors file: 8 bytes little-endian length n, n bytes JSON
/// <c>{"name":{"dtype":"F32","shape":[..],"data_offsets":[begin,end]},..,"__metadata__":{"key":"text"}}</c>, then the data without holes.
/// Format: https://huggingface.co/docs/safetensors. Whatever the description forbids is refused, also where the reference library takes it.
/// </summary>
internal ref struct SafetensorsHeader
{
    public const long MaxHeaderBytes = 100_000_000; // the reference library's limit
    public const int MaxDimensions = 64; // numpy's limit; without one, a header could make lists far larger than itself
    private const string MetadataKey = "__metadata__";

    private readonly string _path;
    private readonly long _dataBytes;
    private readonly long _dataStart;
    private Utf8JsonReader _json;

    private SafetensorsHeader(string path, ReadOnlySpan<byte> header, long fileLength)
    {
        _path = path;
        _dataStart = 8 + header.Length;
        _dataBytes = fileLength - _dataStart;
        _json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 4 });
    }

    public Dictionary<string, TensorEntry> Entries { get; } = [];

    public OrderedDictionary<string, string> Metadata { get; } = [];

    public static SafetensorsHeader Read(MappedFile file)
    {
        using TensorBytes bytes = file.Window(0, file.Length);
        if (file.Length < 8)
        {
            throw new CheckpointException(file.Path, $"{file.Length} bytes are too few for a safetensors file, which begins with an 8-byte header length");
        }
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes.Slice(0, 8));
        if (length > MaxHeaderBytes || length > (ulong)(file.Length - 8))
        {
            throw new CheckpointException(file.Path, $"the header claims {length} bytes; expected at most {MaxHeaderBytes} and at most the "
                + $"{file.Length - 8} that follow (not a safetensors file, or cut short)");
        }
        var header = new SafetensorsHeader(file.Path, bytes.Slice(8, (int)length), file.Length);
        header.Parse(bytes.Slice(8, (int)length));
        return header;
    }

    private void Parse(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] != '{')
        {
            throw Error("the header does not begin with '{'");
        }
        try
        {
            Next();
            ParseEntries();
            _json.Read(); // throws on anything but white space behind the object
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a text that is not valid UTF-8 or has half a surrogate pair.
            throw new CheckpointException(_path, $"the header is not valid JSON: {e.Message}", e);
        }
        CheckCoverage();
    }

    private void ParseEntries()
    {
        bool hasMetadata = false;
        for (Next(); _json.TokenType != JsonTokenType.EndObject; Next())
        {
            string name = _json.GetString()!;
            Next();
            if (name == MetadataKey)
            {
                if (hasMetadata)
                {
                    throw Error($"the key {MetadataKey} occurs twice");
                }
                hasMetadata = true;
                ParseMetadata();
            }
            else if (!Entries.TryAdd(name, ParseEntry(name)))
            {
                throw Error($"tensor {CheckpointException.Quote(name)} occurs twice");
            }
        }
    }

    private void ParseMetadata()
    {
        Expect(JsonTokenType.StartObject, MetadataKey, "an object of texts");
        for (Next(); _json.TokenType != JsonTokenType.EndObject; Next())
        {
            string key = _json.GetString()!;
            Next();
            Expect(JsonTokenType.String, $"{MetadataKey} key {CheckpointException.Quote(key)}", "a text");
            if (!Metadata.TryAdd(key, _json.GetString()!))
            {
                throw Error($"{MetadataKey} key {CheckpointException.Quote(key)} occurs twice");
            }
        }
    }

    private TensorEntry ParseEntry(string name)
    {
        string what = "tensor " + CheckpointException.Quote(name);
        Expect(JsonTokenType.StartObject, what, "an object with dtype, shape and data_offsets");
        StoredType? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        for (Next(); _json.TokenType != JsonTokenType.EndObject; Next())
        {
            string key = _json.GetString()!;
            Next();
            bool first = key switch
            {
                "dtype" => Set(ref type, ParseType(what)),
                "shape" => Set(ref shape, ParseNumbers(what + " shape")),
                "data_offsets" => Set(ref offsets, ParseNumbers(what + " data_offsets")),
                _ => throw Error($"{what} has the unknown key {CheckpointException.Quote(key)}; expected dtype, shape, data_offsets"),
            };
            if (!first)
            {
                throw Error($"{what} has the key {key} twice");
            }
        }
        if (type is null || shape is null || offsets is null)
        {
            throw Error($"{what} lacks {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        }
        return CheckEntry(what, name, type, shape, offsets);
    }

    private static bool Set<T>(ref T? field, T value) where T : class
    {
        bool first = field is null;
        field = value;
        return first;
    }

    private StoredType ParseType(string what)
    {
        Expect(JsonTokenType.String, what + " dtype", "a text");
        string name = _json.GetString()!;
        return SafetensorsTypes.Find(name) ?? throw Error($"{what} has the dtype {CheckpointException.Quote(name)}; expected one of "
            + string.Join(", ", SafetensorsTypes.All.Select(t => t.Name)));
    }

    private List<long> ParseNumbers(string what)
    {
        Expect(JsonTokenType.StartArray, what, "an array of integers");
        var numbers = new List<long>();
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
        {
            Expect(JsonTokenType.Number, what, "integers");
            if (!_json.TryGetInt64(out long number) || number < 0)
            {
                throw Error($"{what} holds {System.Text.Encoding.UTF8.GetString(_json.ValueSpan[..Math.Min(_json.ValueSpan.Length, 40)])}; "
                    + "expected an integer from 0 to 2^63 - 1");
            }
            numbers.Add(number);
            if (numbers.Count > MaxDimensions)
            {
                throw Error($"{what} has more than {MaxDimensions} numbers");
            }
        }
        return numbers;
    }

    private readonly TensorEntry CheckEntry(string what, string name, StoredType type, List<long> shape, List<long> offsets)
    {
        if (offsets.Count != 2 || offsets[0] > offsets[1] || offsets[1] > _dataBytes)
        {
            throw Error($"{what} has data_offsets [{string.Join(", ", offsets.Take(4))}]; expected [begin, end] with begin <= end <= {_dataBytes}, "
                + "the bytes of data in the file (cut short?)");
        }
        TensorEntry entry;
        try
        {
            entry = new TensorEntry(name, type, [.. shape]) { Offset = _dataStart + offsets[0] };
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new CheckpointException(_path, $"{what} has an impossible shape [{string.Join(", ", shape.Take(8))}] of {type}: {e.Message}", e);
        }
        return entry.ByteCount == offsets[1] - offsets[0] ? entry : throw Error($"{what} takes {entry.ByteCount} bytes by its shape "
            + $"[{string.Join(", ", shape.Take(8))}] of {type}, but its data_offsets span {offsets[1] - offsets[0]}");
    }

    // Sorted by offset the tensors must follow each other exactly and end with the file.
    private readonly void CheckCoverage()
    {
        long end = _dataStart;
        foreach (TensorEntry entry in Entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.ByteCount))
        {
            if (entry.Offset != end)
            {
                throw Error($"tensor {CheckpointException.Quote(entry.Name)} begins at {entry.Offset - _dataStart}, but the data before it ends at "
                    + $"{end - _dataStart}: {(entry.Offset < end ? "tensors overlap" : "there is a hole")}");
            }
            end += entry.ByteCount;
        }
        if (end != _dataStart + _dataBytes)
        {
            throw Error($"{_dataStart + _dataBytes - end} bytes follow the last tensor; expected none");
        }
    }

    private void Next()
    {
        if (!_json.Read())
        {
            throw Error("the header ends early");
        }
    }

    private readonly void Expect(JsonTokenType type, string what, string expected)
    {
        if (_json.TokenType != type)
        {
            throw Error($"{what} is {_json.TokenType}; expected {expected}");
        }
    }

    private readonly CheckpointException Error(string problem) => new(_path, problem);
}
