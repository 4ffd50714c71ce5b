using System.Text;
using System.Text.RegularExpressions;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>
/// Cuts a template into tokens as Jinja 3 does with <c>trim_blocks</c> and <c>lstrip_blocks</c>: a newline after a block's end is dropped, blanks
/// before a block at the start of a line too; <c>-</c> strips all white space, <c>+</c> switches the stripping off.
/// </summary>
internal sealed partial class Lexer
{
    private static readonly string[] s_operators =
        ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _open = new();
    private int _at;
    private bool _lineStarts = true;   // the last token ended a line

    private Lexer(string source) => _source = source;

    /// <summary>The template as Jinja sees it: newlines are <c>\n</c>, one at the end is dropped.</summary>
    public static string Normalize(string source)
    {
        source = source.Replace("\r\n", "\n").Replace('\r', '\n');
        return source.EndsWith('\n') ? source[..^1] : source;
    }

    /// <summary>The tokens of a normalized source, with <see cref="TokenKind.End"/> last.</summary>
    public static List<Token> Run(string source)
    {
        var lexer = new Lexer(source);
        while (lexer._at < source.Length)
        {
            lexer.Outside();
        }
        lexer.Add(TokenKind.End, "", source.Length);
        return lexer._tokens;
    }

    private void Add(TokenKind kind, string value, int position) => _tokens.Add(new Token(kind, value, position));

    private JinjaSyntaxError Error(string problem) => new(problem, _at);

    // Text up to the next mark, and the mark.
    private void Outside()
    {
        int mark = NextMark();
        if (mark < 0)
        {
            AddData(_source[_at..], _at);
            _at = _source.Length;
            return;
        }
        string text = _source[_at..mark];
        char kind = _source[mark + 1], sign = mark + 2 < _source.Length ? _source[mark + 2] : ' ';
        int inside = mark + 2 + (sign is '-' or '+' ? 1 : 0);
        AddData(Strip(text, sign, isBlock: kind != '{'), _at);
        _at = inside;
        if (kind == '#')
        {
            Comment();
        }
        else if (kind == '%' && RawBegin().Match(_source, mark) is { Success: true } raw)
        {
            _at = mark + raw.Length;
            _lineStarts = EndsLine();
            Raw();
        }
        else
        {
            Add(kind == '%' ? TokenKind.BlockBegin : TokenKind.VariableBegin, _source[mark..inside], mark);
            _lineStarts = false;
            Inside(kind == '%');
        }
    }

    private int NextMark()
    {
        for (int i = _source.IndexOf('{', _at); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }
        return -1;
    }

    private string Strip(string text, char sign, bool isBlock)
    {
        if (sign == '-')
        {
            return PythonText.TrimEnd(text);
        }
        if (sign == '+' || !isBlock)
        {
            return text;
        }
        int line = text.LastIndexOf('\n') + 1;
        bool blank = (line > 0 || _lineStarts) && PythonText.TrimEnd(text[line..]).Length == 0;
        return blank ? text[..line] : text;
    }

    private void AddData(string text, int position)
    {
        if (text.Length > 0)
        {
            Add(TokenKind.Data, text, position);
        }
    }

    private bool EndsLine() => _at > 0 && _source[_at - 1] == '\n';

    private void Comment()
    {
        int end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Error("the comment has no end: '#}' is missing");
        }
        char sign = end > _at ? _source[end - 1] : ' ';
        _at = end + 2;
        AfterEnd(sign, trimsLine: true);
    }

    private void Raw()
    {
        Match end = RawEnd().Match(_source, _at);
        if (!end.Success)
        {
            throw Error("the raw block has no end: 'endraw' is missing");
        }
        AddData(Strip(_source[_at..end.Index], end.Groups[1].Value is [var s] ? s : ' ', isBlock: true), _at);
        _at = end.Index + end.Length;
        AfterEnd(end.Groups[2].Value is [var sign] ? sign : ' ', trimsLine: true);
    }

    // What an end mark swallows: all white space after '-', else one newline of blocks.
    private void AfterEnd(char sign, bool trimsLine)
    {
        if (sign == '-')
        {
            while (_at < _source.Length && PythonText.IsSpace(_source[_at]))
            {
                _at++;
            }
        }
        else if (trimsLine && sign != '+' && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }
        _lineStarts = EndsLine();
    }

    private void Inside(bool block)
    {
        string end = block ? "%}" : "}}";
        _open.Clear();
        while (_at < _source.Length)
        {
            if (_open.Count == 0 && AtEnd(end, block, out char sign))
            {
                Add(block ? TokenKind.BlockEnd : TokenKind.VariableEnd, end, _at);
                _at += sign == ' ' ? 2 : 3;
                AfterEnd(sign, block);
                return;
            }
            if (PythonText.IsSpace(_source[_at]))
            {
                _at++;
            }
            else
            {
                Word();
            }
        }
    }

    private bool AtEnd(string end, bool block, out char sign)
    {
        char c = _source[_at];
        sign = c == '-' || (c == '+' && block) ? c : ' ';
        return string.CompareOrdinal(_source, _at + (sign == ' ' ? 0 : 1), end, 0, 2) == 0;
    }

    private void Word()
    {
        char c = _source[_at];
        if (c is '"' or '\'')
        {
            Text(c);
        }
        else if (char.IsAsciiDigit(c))
        {
            Number();
        }
        else if (NamePattern().Match(_source, _at) is { Success: true } name)
        {
            Take(TokenKind.Name, name.Length);
        }
        else
        {
            Operator();
        }
    }

    private void Take(TokenKind kind, int length)
    {
        Add(kind, _source.Substring(_at, length), _at);
        _at += length;
    }

    private void Number()
    {
        // "a.1.2": after a dot only whole numbers follow.
        bool afterDot = _at > 0 && _source[_at - 1] == '.';
        if (!afterDot && FloatPattern().Match(_source, _at) is { Success: true } real)
        {
            Take(TokenKind.Float, real.Length);
            return;
        }
        Take(TokenKind.Integer, IntegerPattern().Match(_source, _at).Length);
    }

    private void Text(char quote)
    {
        int end = _at + 1;
        while (end < _source.Length && _source[end] != quote)
        {
            end += _source[end] == '\\' ? 2 : 1;
        }
        if (end >= _source.Length)
        {
            throw Error($"unexpected character {quote}: the text has no end");
        }
        Add(TokenKind.Text, Escapes.Decode(_source.AsSpan(_at + 1, end - _at - 1), _at), _at);
        _at = end + 1;
    }

    private void Operator()
    {
        string op = Array.Find(s_operators, o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0)
            ?? throw Error($"unexpected character '{Rune.GetRuneAt(_source, _at)}'");
        switch (op)
        {
            case "(": _open.Push(')'); break;
            case "[": _open.Push(']'); break;
            case "{": _open.Push('}'); break;
            case ")" or "]" or "}":
                if (_open.Count == 0)
                {
                    throw Error($"unexpected '{op}'");
                }
                if (_open.Pop() is var expected && expected != op[0])
                {
                    throw Error($"unexpected '{op}', expected '{expected}'");
                }
                break;
        }
        Take(TokenKind.Operator, op.Length);
    }

    [GeneratedRegex(@"\G\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})")]
    private static partial Regex RawBegin();

    [GeneratedRegex(@"\{%([-+]?)\s*endraw\s*([-+]?)%\}")]
    private static partial Regex RawEnd();

    [GeneratedRegex(@"\G[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\p{Pc}]*")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\G(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?[eE][-+]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)")]
    private static partial Regex FloatPattern();

    [GeneratedRegex(@"\G(?:0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?[0-9])*|0(?:_?0)*)")]
    private static partial Regex IntegerPattern();
}

/// <summary>A mistake in the source, at an index of it.</summary>
internal sealed class JinjaSyntaxError(string problem, int position) : Exception(problem)
{
    public int Position => position;
}
