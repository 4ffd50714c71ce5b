using Banyan.Quant;

namespace Banyan.Checkpoints.Gguf;

/// <summary>
/// Which type each tensor of a quantized model gets: llama.cpp's mixtures, in which the tensors that errors hurt most keep more bits (Q4_K_M is Q4_K with the values' and the output's
/// matrices of half the layers, and the head, in Q6_K).
/// </summary>
internal sealed class QuantizationMix
{
    // The name, the number that a file says, and the type of most tensors.
    private static readonly (string Name, uint FileType, string Type)[] s_rows =
    [
        ("Q4_0", 2, "Q4_0"), ("Q4_1", 3, "Q4_1"), ("Q8_0", 7, "Q8_0"), ("Q5_0", 8, "Q5_0"), ("Q5_1", 9, "Q5_1"), ("Q2_K", 10, "Q2_K"), ("Q3_K_S", 11, "Q3_K"), ("Q3_K_M", 12, "Q3_K"), ("Q3_K_L", 13, "Q3_K"),
        ("Q4_K_S", 14, "Q4_K"), ("Q4_K_M", 15, "Q4_K"), ("Q5_K_S", 16, "Q5_K"), ("Q5_K_M", 17, "Q5_K"), ("Q6_K", 18, "Q6_K"), ("TQ1_0", 36, "TQ1_0"), ("TQ2_0", 37, "TQ2_0"),
    ];

    private readonly string _name;
    private readonly string _type;
    private readonly int _layers;
    private readonly long _experts, _queriesPerKey;
    private readonly bool _tied;

    private QuantizationMix((string Name, uint FileType, string Type) row, IReadOnlyCollection<TensorEntry> tensors, long experts, long queriesPerKey)
    {
        (_name, FileType, _type, _experts, _queriesPerKey) = (row.Name, row.FileType, row.Type, experts, queriesPerKey);
        _layers = tensors.Select(t => LayerOf(t.Name) + 1).DefaultIfEmpty().Max();
        _tied = tensors.All(t => t.Name != "output.weight");
    }

    /// <summary>The number in <c>general.file_type</c>.</summary>
    public uint FileType { get; }

    /// <summary>The names of all mixtures.</summary>
    public static IEnumerable<string> Names => s_rows.Select(r => r.Name.ToLowerInvariant());

    /// <summary>The mixture of a name, for a model.</summary>
    /// <param name="name">In any case.</param>
    /// <param name="tensors">All tensors, under GGUF's names.</param>
    /// <param name="metadata">The heads and experts.</param>
    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static QuantizationMix Of(string name, IReadOnlyCollection<TensorEntry> tensors, GgufMetadata metadata)
    {
        var row = s_rows.FirstOrDefault(r => r.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (row.Name is null)
        {
            throw new ArgumentException($"{name} is no mixture of quantized types; expected one of {string.Join(", ", Names)}{NearestName.Hint(name.ToLowerInvariant(), [.. Names])}");
        }
        long Number(string key, long otherwise) => metadata.Has($"{metadata.Architecture}.{key}") && metadata[$"{metadata.Architecture}.{key}"].Value is not Array ? metadata.GetLong($"{metadata.Architecture}.{key}") : otherwise;
        long heads = Number("attention.head_count", 1);
        return new(row, tensors, Number("expert_count", 0), heads / Math.Max(1, Number("attention.head_count_kv", heads)));
    }

    /// <summary>The type of a matrix that may be quantized.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="columns">Numbers of a row: whole blocks, or another type is taken.</param>
    public string TypeOf(string name, long columns)
    {
        string type = Choose(name);
        return columns % BlockFormats.FromName(type)!.BlockElements == 0 ? type : type switch
        {
            // Rows that do not fill blocks of 256 are stored in blocks of 32 of about as many bits.
            "Q2_K" or "Q3_K" or "TQ1_0" or "TQ2_0" or "Q4_K" => Fits("Q5_0", columns),
            "Q5_K" => Fits("Q5_1", columns),
            _ => Fits("Q8_0", columns),
        };
    }

    private static string Fits(string type, long columns) => columns % 32 == 0 ? type : "F16";

    private static int LayerOf(string name) => name.StartsWith("blk.", StringComparison.Ordinal) && int.TryParse(name.AsSpan(4, Math.Max(0, name.IndexOf('.', 4) - 4)), out int layer) ? layer : -1;

    // The first and last eighth of the layers, and every third between.
    private bool IsSensitive(int layer) => layer < _layers / 8 || layer >= 7 * _layers / 8 || (layer - _layers / 8) % 3 == 2;

    private string Choose(string name)
    {
        int layer = LayerOf(name);
        bool isHead = name == "output.weight" || (_tied && name == "token_embd.weight");
        if (isHead)
        {
            return _type == "Q8_0" ? "Q8_0" : "Q6_K";
        }
        if (name == "token_embd.weight")
        {
            return _type is "TQ1_0" or "TQ2_0" ? "Q4_K" : _type;
        }
        bool Is(string part) => name.Contains(part, StringComparison.Ordinal);
        if (Is("attn_v.weight"))
        {
            return Values(layer);
        }
        if (Is("attn_k.weight"))
        {
            return _experts == 8 ? "Q8_0" : _type;
        }
        if (Is("ffn_down"))
        {
            return Down(layer);
        }
        if (Is("attn_output.weight"))
        {
            bool isSmall = _type is "Q2_K" or "Q3_K" or "Q4_K";
            return _experts == 8 ? (isSmall ? "Q5_K" : _type) : _name switch { "Q2_K" => "Q3_K", "Q3_K_M" => "Q4_K", "Q3_K_L" => "Q5_K", _ => _type };
        }
        return Is("attn_qkv.weight") ? _name switch { "Q3_K_M" or "Q3_K_L" => "Q4_K", "Q4_K_M" => "Q5_K", "Q5_K_M" => "Q6_K", _ => _type } : _type;
    }

    // Few and used by many queries.
    private string Values(int layer) => _experts == 8 ? "Q8_0" : _name switch
    {
        "Q2_K" => _queriesPerKey >= 4 ? "Q4_K" : "Q3_K",
        "Q3_K_M" => layer < 2 ? "Q5_K" : "Q4_K",
        "Q3_K_L" => "Q5_K",
        "Q4_K_M" or "Q5_K_M" when IsSensitive(layer) => "Q6_K",
        "Q4_K_S" when layer < 4 => "Q5_K",
        _ => _type,
    };

    private string Down(int layer) => _name switch
    {
        "Q2_K" => "Q3_K",
        "Q3_K_M" => layer < _layers / 16 ? "Q5_K" : "Q4_K",
        "Q3_K_L" => "Q5_K",
        "Q4_K_M" or "Q5_K_M" when IsSensitive(layer) => "Q6_K",
        "Q4_K_S" when layer < _layers / 8 => "Q5_K",
        _ => _type,
    };
}
