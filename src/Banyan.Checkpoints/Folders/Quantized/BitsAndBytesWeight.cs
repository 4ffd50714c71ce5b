using System.Text.Json;

namespace Banyan.Checkpoints.Quantized;

/// <summary>
/// Four bits as bitsandbytes stores them (NF4, FP4): <c>weight</c>, two codes in a byte, the first high, over the flattened matrix; <c>weight.absmax</c>, the scale of each block, itself quantized in
/// blocks where there is <c>weight.nested_absmax</c>; <c>weight.quant_map</c>, what a code stands for; and a JSON text with sizes.
/// </summary>
internal sealed class BitsAndBytesWeight : QuantizedWeight
{
    private const string State = "weight.quant_state.bitsandbytes__";

    private readonly string _kind;
    private long[]? _shape;
    private int _block, _nestedBlock;
    private float _offset;

    public BitsAndBytesWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files, string kind) : base(prefix, files) => _kind = kind;

    public override IReadOnlyList<string> Parts => ["weight", "weight.absmax", "weight.quant_map", "weight.nested_absmax", "weight.nested_quant_map", State + _kind];

    protected override long[] Shape
    {
        get
        {
            Read();
            return _shape!;
        }
    }

    protected override void Decode(Span<float> values, int rows, int columns)
    {
        Read();
        byte[] codes = Bytes("weight");
        float[] map = Floats("weight.quant_map"), scales = Scales();
        for (int at = 0; at < values.Length; at++)
        {
            values[at] = map[codes[at / 2] >> (4 * (1 - at % 2)) & 15] * scales[at / _block];
        }
    }

    private float[] Scales()
    {
        if (!Has("weight.nested_absmax"))
        {
            return Floats("weight.absmax");
        }
        float[] map = Floats("weight.nested_quant_map"), scales = Floats("weight.nested_absmax");
        return [.. Bytes("weight.absmax").Select((code, i) => map[code] * scales[i / _nestedBlock] + _offset)];
    }

    private void Read()
    {
        if (_shape is not null)
        {
            return;
        }
        try
        {
            using JsonDocument state = JsonDocument.Parse(Bytes(State + _kind));
            JsonElement root = state.RootElement;
            _block = root.GetProperty("blocksize").GetInt32();
            _nestedBlock = root.TryGetProperty("nested_blocksize", out JsonElement nested) ? nested.GetInt32() : 1;
            _offset = root.TryGetProperty("nested_offset", out JsonElement offset) ? offset.GetSingle() : 0;
            long[] shape = [.. root.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())];
            _shape = shape.Length == 2 && shape.All(s => s is > 0 and < int.MaxValue) && _block > 0 && _nestedBlock > 0 ? shape : throw new FormatException("a size is impossible");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CheckpointException(Path, $"the state of {CheckpointException.Quote(Name)} is damaged: {e.Message}", e);
        }
    }
}
