using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.AddedTokens;

/// <summary>The tokens that were added to a model's vocabulary (or marked in it), and how they are cut out of a text.</summary>
internal sealed class AddedVocabulary(TokenModel model, Normalizer? normalizer)
{
    private readonly Dictionary<string, int> _ids = [];
    private readonly SortedDictionary<int, AddedToken> _tokens = [];
    private readonly Dictionary<string, AddedToken> _special = [];
    private readonly List<AddedToken> _order = [];
    private readonly Dictionary<int, string> _normalizedTexts = [];

    /// <summary>Tokens by id.</summary>
    public IReadOnlyDictionary<int, AddedToken> Tokens => _tokens;

    /// <summary>True treats special tokens in a text as ordinary text.</summary>
    public bool EncodeSpecialTokens { get; set; }

    public AddedTokenMatcher? Raw { get; private set; }

    public AddedTokenMatcher? Normalized { get; private set; }

    public int MaxId { get; private set; } = -1;

    public int IdOf(string token) => _ids.TryGetValue(token, out int id) ? id : model.TokenToId(token);

    public string? TokenOf(int id) => _tokens.TryGetValue(id, out AddedToken? token) ? token.Content : model.IdToToken(id);

    /// <summary>What an id is written as when it is decoded: a token that is found in normalized text is normalized too.</summary>
    public string? TextOf(int id) => _normalizedTexts.TryGetValue(id, out string? text) ? text : TokenOf(id);

    public bool IsSpecial(string token) => _special.ContainsKey(token);

    /// <summary>Adds tokens; one that the model knows keeps its id, others follow the largest id. Returns how many were new here.</summary>
    public int Add(IReadOnlyList<AddedToken> tokens)
    {
        foreach (AddedToken token in tokens)
        {
            if (token.Special && token.Content.Length > 0 && _special.TryAdd(token.Content, token))
            {
                _order.RemoveAll(t => t.Content == token.Content);
            }
        }
        int added = 0;
        foreach (AddedToken token in tokens)
        {
            if (token.Content.Length == 0 || (_ids.TryGetValue(token.Content, out int old) && _tokens[old].Content == token.Content))
            {
                continue;
            }
            int id = model.TokenToId(token.Content);
            id = id >= 0 ? id : Math.Max(MaxId + 1, model.VocabSize);
            MaxId = Math.Max(MaxId, id);
            _ids[token.Content] = id;
            _tokens[id] = token;
            if (!IsSpecial(token.Content))
            {
                _order.Add(token);
            }
            added++;
        }
        Refresh();
        return added;
    }

    /// <summary>Cuts a text at its added tokens and normalizes what lies between.</summary>
    public List<Piece> Extract(ReadOnlySpan<char> text)
    {
        List<Piece> output = [];
        List<AddedTokenMatcher.Part> parts = [];
        AlignedText whole = AlignedText.FromOriginal(text, 0);
        Split(Raw, whole.Span, parts);
        foreach (AddedTokenMatcher.Part part in parts)
        {
            Piece piece = new(whole, part.Start, part.End, part.Id);
            if (part.Id >= 0)
            {
                output.Add(piece);
            }
            else
            {
                AddNormalized(piece, output);
            }
        }
        return output;
    }

    private void AddNormalized(Piece piece, List<Piece> output)
    {
        if (normalizer is not null && !normalizer.IsUnchanged(piece.Span))
        {
            AlignedText changed = normalizer.Normalize(piece.ToText());
            piece = new(changed, 0, changed.Length);
        }
        List<AddedTokenMatcher.Part> parts = [];
        Split(Normalized, piece.Span, parts);
        foreach (AddedTokenMatcher.Part part in parts)
        {
            output.Add(new(piece.Text, piece.Start + part.Start, piece.Start + part.End, part.Id));
        }
    }

    private void Split(AddedTokenMatcher? matcher, ReadOnlySpan<char> text, List<AddedTokenMatcher.Part> parts)
    {
        if (matcher is not null)
        {
            matcher.Split(text, EncodeSpecialTokens, parts);
        }
        else if (!text.IsEmpty)
        {
            parts.Add(new(0, text.Length, -1));
        }
    }

    private void Refresh()
    {
        List<AddedToken> all = [.. _special.Values, .. _order];
        Raw = AddedTokenMatcher.Create(all.Where(t => !t.Normalized).Select(t => (t.Content, IdOf(t.Content), t)));
        foreach (AddedToken token in all.Where(t => t.Normalized))
        {
            _normalizedTexts[IdOf(token.Content)] = normalizer?.Normalize(token.Content) ?? token.Content;
        }
        Normalized = AddedTokenMatcher.Create(all.Where(t => t.Normalized).Select(t => (_normalizedTexts[IdOf(t.Content)], IdOf(t.Content), t)));
    }
}
