using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>Token strings and their ids, both ways. Ids may have gaps; where two tokens share an id the later one is its text.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly string?[] _dense = [];
    private readonly Dictionary<int, string>? _sparse;

    public Vocabulary(Dictionary<string, int> ids)
    {
        _ids = ids;
        _lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        int max = MaxId = ids.Count == 0 ? -1 : ids.Values.Max();
        if (max > (2L * ids.Count) + 100_000)
        {
            // An id far beyond the count must not buy memory.
            _sparse = [];
            foreach ((string token, int id) in ids)
            {
                _sparse[id] = token;
            }
            return;
        }
        _dense = new string?[max + 1];
        foreach ((string token, int id) in ids)
        {
            _dense[id] = token;
        }
    }

    /// <summary>The largest id, or -1.</summary>
    public int MaxId { get; }

    public int Count => _ids.Count;

    public IEnumerable<KeyValuePair<string, int>> ById => _ids.OrderBy(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal);

    /// <summary>The id of a token, or -1.</summary>
    public int IdOf(ReadOnlySpan<char> token) => _lookup.TryGetValue(token, out int id) ? id : -1;

    public string? TokenOf(int id) => _sparse is not null
        ? _sparse.GetValueOrDefault(id)
        : (uint)id < (uint)_dense.Length ? _dense[id] : null;

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("vocab");
        foreach ((string token, int id) in ById)
        {
            writer.WriteNumber(token, id);
        }
        writer.WriteEndObject();
    }
}
