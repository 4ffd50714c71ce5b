using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>RWKV's model: at each byte the longest token that fits. Tokens are bytes, written in the byte alphabet.</summary>
internal sealed class ByteTrie : TokenModel
{
    private const int Unused = -1;

    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<long, int> _next = [];   // (node, byte) to node
    private readonly List<int> _ids = [Unused];          // of each node

    public ByteTrie(IEnumerable<(int Id, byte[] Bytes)> tokens)
    {
        Dictionary<string, int> ids = [];
        foreach ((int id, byte[] bytes) in tokens)
        {
            int node = 0;
            foreach (byte b in bytes)
            {
                if (!_next.TryGetValue(Key(node, b), out int next))
                {
                    _next[Key(node, b)] = next = _ids.Count;
                    _ids.Add(Unused);
                }
                node = next;
            }
            _ids[node] = id;
            ids[ByteAlphabet.Write(bytes)] = id;
        }
        _vocabulary = new(ids);
    }

    public override string Type => "RWKV";

    public override int VocabSize => _vocabulary.MaxId + 1;

    public override int MaxId => _vocabulary.MaxId;

    public override IEnumerable<KeyValuePair<string, int>> Vocab => _vocabulary.ById;

    public override int TokenToId(ReadOnlySpan<char> token) => _vocabulary.IdOf(token);

    public override string? IdToToken(int id) => _vocabulary.TokenOf(id);

    public override void Tokenize(ReadOnlySpan<char> piece, List<ModelToken> output)
    {
        byte[] bytes = new byte[System.Text.Encoding.UTF8.GetByteCount(piece)];
        System.Text.Encoding.UTF8.GetBytes(piece, bytes);
        Tokenize(bytes, output);
    }

    /// <summary>Appends the tokens of bytes, of which each must be a token of its own.</summary>
    public void Tokenize(ReadOnlySpan<byte> bytes, List<ModelToken> output)
    {
        for (int start = 0; start < bytes.Length;)
        {
            int end = start, id = Unused;
            for (int i = start, node = 0; i < bytes.Length && _next.TryGetValue(Key(node, bytes[i]), out node); i++)
            {
                (end, id) = _ids[node] == Unused ? (end, id) : (i + 1, _ids[node]);
            }
            if (id == Unused)
            {
                throw new InvalidOperationException($"no token begins with the byte 0x{bytes[start]:X2}, which the text needs");
            }
            output.Add(new(id, start, end));
            start = end;
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer) => throw new InvalidOperationException("tokenizer.json has no form for RWKV's tokenizer; keep its vocabulary file");

    private static long Key(int node, byte value) => ((long)node << 8) | value;
}
