namespace Banyan.Tokenizers.Training;

/// <summary>Tokens numbered in the order in which they are added.</summary>
internal sealed class TokenTable
{
    private readonly List<string> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public TokenTable() => _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Count => _tokens.Count;

    public IReadOnlyList<string> Tokens => _tokens;

    public string this[int id] => _tokens[id];

    /// <summary>The id of a token, or -1.</summary>
    public int IdOf(ReadOnlySpan<char> token) => _lookup.TryGetValue(token, out int id) ? id : -1;

    /// <summary>The id of a token, new if need be.</summary>
    public int Add(string token)
    {
        if (_ids.TryGetValue(token, out int id))
        {
            return id;
        }
        _ids[token] = _tokens.Count;
        _tokens.Add(token);
        return _tokens.Count - 1;
    }

    public Dictionary<string, int> ToDictionary() => new(_ids);
}
