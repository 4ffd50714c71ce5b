using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Patterns.Regex;
using Banyan.Tokenizers.PreTokenizers;
using System.Text.Json;

namespace Banyan.Tokenizers.Patterns;

/// <summary>A pattern of a tokenizer.json: a fixed string or a regular expression in Oniguruma's Ruby syntax.</summary>
internal sealed class TextPattern
{
    /// <summary>Two spaces or more: what SentencePiece's normalizers collapse.</summary>
    public const string SpaceRuns = " {2,}";

    private readonly string _text;
    private readonly bool _isRegex;
    private readonly LinearRegex? _regex;

    private TextPattern(string text, bool isRegex)
    {
        (_text, _isRegex) = (text, isRegex);
        Matcher = isRegex ? PieceMatcher.ForPattern(text) : null;
        _regex = (isRegex && Matcher is null && text != SpaceRuns) || text.Length == 0 ? LinearRegex.Of(text) : null;
    }

    /// <summary>The hand-written matcher of the pattern, if there is one; its matches cover every text.</summary>
    public PieceMatcher? Matcher { get; }

    /// <summary>Reads <c>{"String": text}</c> or <c>{"Regex": pattern}</c>.</summary>
    public static TextPattern Read(JsonView view)
    {
        view.Require(JsonValueKind.Object, "{\"String\": ..} or {\"Regex\": ..}");
        bool isRegex = view.Has("Regex");
        if (isRegex == view.Has("String"))
        {
            throw view.Error("expected one of {\"String\": ..} and {\"Regex\": ..}");
        }
        if (!isRegex)
        {
            return Fixed(view.String("String"));
        }
        try
        {
            return Regex(view.String("Regex"));
        }
        catch (FormatException e)
        {
            throw view.Member("Regex").Error($"found a regular expression with {e.Message}");
        }
    }

    public static TextPattern Fixed(string text) => new(text, isRegex: false);

    /// <summary>A regular expression. Throws <see cref="FormatException"/> where it is none, or not supported.</summary>
    public static TextPattern Regex(string pattern) => new(pattern, isRegex: true);

    /// <summary>Matches and what lies between them, in order, covering the text.</summary>
    public List<MatchPart> Find(ReadOnlySpan<char> text)
    {
        List<MatchPart> parts = [];
        if (Matcher is not null)
        {
            for (int i = 0; i < text.Length;)
            {
                int end = Matcher.Match(text, i);
                parts.Add(new(i, end, true));
                i = end;
            }
            return parts;
        }
        if (_regex is not null)
        {
            return _regex.Find(text);
        }
        if (_isRegex)
        {
            FindSpaceRuns(text, parts);
        }
        else
        {
            FindFixed(text, parts);
        }
        return parts;
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("pattern");
        writer.WriteString(_isRegex ? "Regex" : "String", _text);
        writer.WriteEndObject();
    }

    private static void FindSpaceRuns(ReadOnlySpan<char> text, List<MatchPart> parts)
    {
        int done = 0;
        while (text[done..].IndexOf("  ") is >= 0 and int found)
        {
            int start = done + found;
            int length = text[start..].IndexOfAnyExcept(' ');
            if (start > done)
            {
                parts.Add(new(done, start, false));
            }
            done = length < 0 ? text.Length : start + length;
            parts.Add(new(start, done, true));
        }
        if (done < text.Length)
        {
            parts.Add(new(done, text.Length, false));
        }
    }

    private void FindFixed(ReadOnlySpan<char> text, List<MatchPart> parts)
    {
        int done = 0;
        while (text[done..].IndexOf(_text) is >= 0 and int found)
        {
            int start = done + found;
            if (start > done)
            {
                parts.Add(new(done, start, false));
            }
            parts.Add(new(start, start + _text.Length, true));
            done = start + _text.Length;
        }
        if (done < text.Length)
        {
            parts.Add(new(done, text.Length, false));
        }
    }
}
