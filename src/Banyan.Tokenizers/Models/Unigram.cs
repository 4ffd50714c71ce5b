using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>
/// Unigram language model (Kudo 2018): of all ways to cut a piece into tokens, the one with the highest sum of log
/// probabilities (Viterbi). An unknown character costs 10 more than the least likely token; runs of them are one token.
/// </summary>
internal sealed class Unigram : TokenModel
{
    private const double UnknownPenalty = 10;

    private readonly (string Token, double Score)[] _pieces;
    private readonly Vocabulary _vocabulary;
    private readonly CharTrie _trie = new();
    private readonly int? _unkId;
    private readonly bool _byteFallback;
    private readonly HashSet<int> _never;
    private readonly bool _float32; // SentencePiece adds scores in single precision: near ties fall its way
    private readonly int[]? _byteIds;
    private readonly double _unkScore;

    /// <param name="pieces">Pieces and their log probabilities.</param>
    /// <param name="unkId">The unknown piece.</param>
    /// <param name="byteFallback">Writes unknown text as bytes.</param>
    /// <param name="never">Pieces that no text becomes (control pieces of SentencePiece).</param>
    /// <param name="lowest">The lowest score, if not that of all pieces.</param>
    public Unigram((string Token, double Score)[] pieces, int? unkId, bool byteFallback, HashSet<int>? never = null, double? lowest = null)
    {
        _never = never ?? [];
        _float32 = never is not null;
        (_pieces, _unkId, _byteFallback) = (pieces, unkId, byteFallback);
        Dictionary<string, int> ids = [];
        for (int i = 0; i < pieces.Length; i++)
        {
            ids[pieces[i].Token] = i;
        }
        foreach ((string token, int id) in ids.Where(p => p.Key.Length > 0 && !_never.Contains(p.Value)))
        {
            _trie.Add(token, id);
        }
        _vocabulary = new(ids);
        _unkScore = (lowest ?? pieces.Select(p => p.Score).DefaultIfEmpty().Min()) - UnknownPenalty;
        int[] bytes = [.. Enumerable.Range(0, 256).Select(b => _vocabulary.IdOf($"<0x{b:X2}>"))];
        _byteIds = byteFallback ? bytes : null;
    }

    public override string Type => "Unigram";

    public override int VocabSize => _pieces.Length;

    public override int MaxId => _pieces.Length - 1;

    public override IEnumerable<KeyValuePair<string, int>> Vocab => _vocabulary.ById;

    public override int TokenToId(ReadOnlySpan<char> token) => _vocabulary.IdOf(token);

    public override string? IdToToken(int id) => (uint)id < (uint)_pieces.Length ? _pieces[id].Token : null;

    public override void Tokenize(ReadOnlySpan<char> piece, List<ModelToken> output)
    {
        (int Start, int Id)[] back = Viterbi(piece);
        List<(int Start, int End)> spans = [];
        for (int end = piece.Length; end > 0;)
        {
            (int start, int id) = back[end];
            int last = end;
            while (id == _unkId && start > 0 && back[start].Id == _unkId)
            {
                start = back[start].Start;
            }
            spans.Add((start, last));
            end = start;
        }
        int bytes = 0;
        for (int i = spans.Count - 1; i >= 0; i--)
        {
            bytes = Append(piece[spans[i].Start..spans[i].End], bytes, output);
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        if (_unkId is { } unk)
        {
            writer.WriteNumber("unk_id", unk);
        }
        else
        {
            writer.WriteNull("unk_id");
        }
        writer.WriteStartArray("vocab");
        foreach ((string token, double score) in _pieces)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(token);
            writer.WriteNumberValue(score);
            writer.WriteEndArray();
        }
        writer.WriteEndArray();
        writer.WriteBoolean("byte_fallback", _byteFallback);
    }

    /// <summary>For each end the start and the token of the best path that ends there.</summary>
    private (int Start, int Id)[] Viterbi(ReadOnlySpan<char> piece)
    {
        (int Start, int Id)[] back = new (int, int)[piece.Length + 1];
        double[] best = new double[piece.Length + 1];
        Array.Fill(best, double.NegativeInfinity, 1, piece.Length);
        for (int i = 0; i < piece.Length;)
        {
            int width = Runes.Width(piece, i);
            bool single = false;
            int node = 0;
            for (int end = i; end < piece.Length && _trie.TryStep(ref node, piece[end], out int id); end++)
            {
                if (id >= 0)
                {
                    Offer(i, end + 1, id, Add(best[i], _pieces[id].Score), best, back);
                    single |= end + 1 - i == width;
                }
            }
            if (!single)
            {
                Offer(i, i + width, _unkId ?? throw MissingUnknown(), Add(best[i], _unkScore), best, back);
            }
            i += width;
        }
        return back;
    }

    private double Add(double a, double b) => _float32 ? (float)(a + b) : a + b;

    private static void Offer(int start, int end, int id, double score, double[] best, (int, int)[] back)
    {
        if (score > best[end])
        {
            (best[end], back[end]) = (score, (start, id));
        }
    }

    private static InvalidOperationException MissingUnknown() =>
        new("the text holds a character that the Unigram vocabulary lacks, and model.unk_id is not set");

    private int Append(ReadOnlySpan<char> text, int start, List<ModelToken> output)
    {
        int end = start + System.Text.Encoding.UTF8.GetByteCount(text);
        int id = _vocabulary.IdOf(text);
        if (id >= 0 && !_never.Contains(id))
        {
            output.Add(new(id, start, end));
        }
        else if (!TryBytes(text, start, end, output))
        {
            output.Add(new(_unkId ?? throw MissingUnknown(), start, end, text.ToString()));
        }
        return end;
    }

    private bool TryBytes(ReadOnlySpan<char> text, int start, int end, List<ModelToken> output)
    {
        byte[] utf8 = new byte[end - start];
        System.Text.Encoding.UTF8.GetBytes(text, utf8);
        if (_byteIds is null || utf8.Any(b => _byteIds[b] < 0))
        {
            return false;
        }
        output.AddRange(utf8.Select(b => new ModelToken(_byteIds[b], start, end)));
        return true;
    }
}
