using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.PreTokenizers;
using System.Text.Json;

namespace Banyan.Tokenizers.Patterns;

/// <summary>A pattern of a tokenizer.json: a fixed string or a regular expression in Oniguruma's Ruby syntax.</summary>
internal sealed class TextPattern
{
    private readonly string _text;
    private readonly bool _isRegex;

    private TextPattern(string text, bool isRegex)
    {
        (_text, _isRegex) = (text, isRegex);
        Matcher = isRegex ? PieceMatcher.ForPattern(text) : null;
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
        TextPattern pattern = Regex(view.String("Regex"));
        return pattern.Matcher is not null ? pattern : throw view.Member("Regex").Error("this regular expression is not supported; known are those of KnownPatterns");
    }

    public static TextPattern Fixed(string text) => new(text, isRegex: false);

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
        FindFixed(text, parts);
        return parts;
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("pattern");
        writer.WriteString(_isRegex ? "Regex" : "String", _text);
        writer.WriteEndObject();
    }

    private void FindFixed(ReadOnlySpan<char> text, List<MatchPart> parts)
    {
        int done = 0;
        while (_text.Length > 0 && text[done..].IndexOf(_text) is >= 0 and int found)
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
