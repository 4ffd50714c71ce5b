using System.Globalization;

namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>
/// Reads a regular expression in Oniguruma's Ruby syntax, as tokenizer.json files hold it. What a search in linear time cannot do is refused: references back, conditions,
/// recursion, atomic groups and looking around further than one character.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxDepth = 1000, MaxRepeat = 100_000;

    private readonly string _text;
    private int _at, _depth;
    private bool _ignoreCase, _dotAll, _spaced;

    private PatternParser(string text) => _text = text;

    private bool IsAtEnd => _at >= _text.Length;

    private char Current => _text[_at];

    /// <summary>Throws <see cref="FormatException"/> where the text is none, or uses what is refused.</summary>
    public static PatternNode Parse(string text)
    {
        PatternParser parser = new(text);
        PatternNode node = parser.Alternatives();
        return parser.IsAtEnd ? node : throw parser.Error("a closing parenthesis without an opening one");
    }

    private FormatException Error(string problem) => new($"{problem} at character {_at}");

    private PatternNode Alternatives()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"more than {MaxDepth} groups in each other");
        }
        (bool ignoreCase, bool dotAll, bool spaced) = (_ignoreCase, _dotAll, _spaced);
        List<PatternNode> options = [Concatenation()];
        while (Take('|'))
        {
            options.Add(Concatenation());
        }
        (_ignoreCase, _dotAll, _spaced) = (ignoreCase, dotAll, spaced); // flags last to the end of their group
        _depth--;
        return options.Count == 1 ? options[0] : new Choice(options);
    }

    private PatternNode Concatenation()
    {
        List<PatternNode> parts = [];
        while (!IsAtEnd && Current is not ('|' or ')'))
        {
            if (SkipSpace())
            {
                continue;
            }
            if (Flags() is { } rest)
            {
                parts.Add(rest);
                break;
            }
            PatternNode part = Atom();
            while (Quantified(part) is { } more)
            {
                part = more;
            }
            parts.Add(part);
        }
        return parts.Count == 1 ? parts[0] : new Sequence(parts);
    }

    // (?i) and so on: from there to the end of the group, alternatives included.
    private PatternNode? Flags()
    {
        int end = _at + 2;
        if (!_text.AsSpan(_at).StartsWith("(?"))
        {
            return null;
        }
        while (end < _text.Length && _text[end] is 'i' or 'm' or 'x' or '-')
        {
            end++;
        }
        if (end == _at + 2 || end >= _text.Length || _text[end] != ')')
        {
            return null;
        }
        (bool ignoreCase, bool dotAll, bool spaced) = (_ignoreCase, _dotAll, _spaced);
        Set(_text.AsSpan((_at + 2)..end));
        _at = end + 1;
        PatternNode rest = Alternatives();
        (_ignoreCase, _dotAll, _spaced) = (ignoreCase, dotAll, spaced);
        return rest;
    }

    private void Set(ReadOnlySpan<char> flags)
    {
        bool on = true;
        foreach (char flag in flags)
        {
            switch (flag)
            {
                case '-': on = false; break;
                case 'i': _ignoreCase = on; break;
                case 'm': _dotAll = on; break;
                default: _spaced = on; break;
            }
        }
    }

    private PatternNode? Quantified(PatternNode part)
    {
        SkipSpace();
        if (IsAtEnd)
        {
            return null;
        }
        (int Min, int? Max)? count = Current switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            _ => null,
        };
        bool isInterval = count is null;
        if (count is not null)
        {
            _at++;
        }
        else if (Interval() is { } interval)
        {
            count = interval;
        }
        else
        {
            return null;
        }
        (int min, int? max) = count.Value;
        bool lazy = Take('?');
        bool keepsAll = !lazy && !isInterval && Take('+'); // {1,3}+ is a repetition of a repetition
        return max is { } m && m < min ? new Repeat(part, m, min, IsLazy: false, KeepsAll: true) : new Repeat(part, min, max, lazy, keepsAll); // {5,2}: Ruby's possessive interval
    }

    private (int Min, int? Max)? Interval()
    {
        int end = Current == '{' ? _text.IndexOf('}', _at) : -1;
        if (end < 0)
        {
            return null;
        }
        string[] numbers = _text[(_at + 1)..end].Split(',');
        if (numbers.Length > 2 || numbers.All(n => n.Length == 0) || !numbers.All(n => n.All(char.IsAsciiDigit)))
        {
            return null; // a brace as it is
        }
        int?[] counts = [.. numbers.Select(Count)];
        _at = end + 1;
        return counts.Length == 1 ? (counts[0]!.Value, counts[0]) : (counts[0] ?? 0, counts[1]);
    }

    private int? Count(string digits) => digits.Length == 0 ? null
        : int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= MaxRepeat ? count : throw Error($"a repetition of more than {MaxRepeat} times");

    private PatternNode Atom()
    {
        char c = Current;
        switch (c)
        {
            case '(': return Group();
            case '[': return Literal(Class());
            case '.': _at++; return new OneOf(_dotAll ? RuneSet.All : RuneSet.Of('\n').Not());
            case '^': _at++; return LineStart;
            case '$': _at++; return new Place(RuneSet.All, true, RuneSet.Of('\n'), true);
            case '\\': return Escape();
            case '*' or '+' or '?': throw Error($"nothing before {c} to repeat");
            default: return Literal(RuneSet.Of(Rune()));
        }
    }

    private static Choice LineStart { get; } = new([new Place(RuneSet.None, true, RuneSet.All, true), new Place(RuneSet.Of('\n'), false, RuneSet.All, false)]);

    private PatternNode Literal(RuneSet set)
    {
        if (!_ignoreCase)
        {
            return new OneOf(set);
        }
        RuneSet s = RuneSets.WithCases(RuneSet.Of('s'));
        OneOf any = new(RuneSets.WithCases(set));
        return set.Contains('ß') && !set.Contains('a') ? new Choice([new Sequence([new OneOf(s), new OneOf(s)]), any]) : any; // ß is ss in another case
    }

    private PatternNode Group()
    {
        _at++;
        string opening = new[] { "?:", "?=", "?!", "?<=", "?<!", "?>", "?#" }.FirstOrDefault(Starts) ?? "";
        _at += opening.Length;
        if (opening == "?#")
        {
            int end = _text.IndexOf(')', _at);
            _at = end < 0 ? throw Error("a comment without an end") : end + 1;
            return new Sequence([]);
        }
        (bool ignoreCase, bool dotAll, bool spaced) = (_ignoreCase, _dotAll, _spaced);
        if (opening.Length == 0 && Take('?'))
        {
            NameOrFlags();
        }
        PatternNode body = Alternatives();
        (_ignoreCase, _dotAll, _spaced) = (ignoreCase, dotAll, spaced);
        if (!Take(')'))
        {
            throw Error("a group without an end");
        }
        return opening switch
        {
            "?=" => new Place(RuneSet.All, true, Looked(body, first: true), false),
            "?!" => new Place(RuneSet.All, true, Looked(body, first: true).Not(), true),
            "?<=" => new Place(Looked(body, first: false), false, RuneSet.All, true),
            "?<!" => new Place(Looked(body, first: false).Not(), true, RuneSet.All, true),
            "?>" => body is Repeat { IsLazy: false } repeat ? repeat with { KeepsAll = true } : body is OneOf ? body : throw Error("an atomic group, of which only (?>x+) is known"),
            _ => body,
        };
    }

    // <name> or flags before a colon.
    private void NameOrFlags()
    {
        int end;
        if (Take('<') && (end = _text.IndexOf('>', _at)) > _at && _text.AsSpan(_at..end).IndexOfAnyExcept("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") < 0)
        {
            _at = end + 1;
            return;
        }
        end = _text.IndexOf(':', _at);
        if (end <= _at || _text.AsSpan(_at..end).IndexOfAnyExcept("imx-") >= 0)
        {
            throw Error("a group of an unknown kind");
        }
        Set(_text.AsSpan(_at..end));
        _at = end + 1;
    }

    // What looking one character around needs: the set of that character. More than one of it makes no difference.
    private RuneSet Looked(PatternNode node, bool first) => node switch
    {
        OneOf one => one.Set,
        Choice choice => choice.Options.Aggregate(RuneSet.None, (set, option) => set.Or(Looked(option, first))),
        Repeat { Min: 1 } repeat => Looked(repeat.Part, first),
        _ => throw Error($"looking {(first ? "ahead" : "behind")} further than one character"),
    };

    private PatternNode Escape()
    {
        _at++;
        if (IsAtEnd)
        {
            throw Error("a backslash at the end");
        }
        char c = Current;
        switch (c)
        {
            case 'A': _at++; return new Place(RuneSet.None, true, RuneSet.All, true);
            case 'z': _at++; return new Place(RuneSet.All, true, RuneSet.None, true);
            case 'b' or 'B':
                _at++;
                RuneSet word = RuneSets.Word, other = word.Not();
                return new Choice([new Place(word, false, c == 'b' ? other : word, c == 'b'), new Place(other, true, c == 'b' ? word : other, c != 'b')]);
            case 'R':
                _at++;
                return new Choice([new Sequence([new OneOf(RuneSet.Of('\r')), new OneOf(RuneSet.Of('\n'))]), new OneOf(RuneSet.Range('\n', '\r').Or(RuneSet.Of(0x85, 0x2028, 0x2029)))]);
            case 'X' or 'K' or 'G' or 'Z' or 'k' or 'g' or 'y' or 'Y' or 'N' or 'O':
                throw Error($"\\{c}, which is not supported");
            case >= '1' and <= '9' when !IsOctal():
                throw Error("a reference back, which is not supported");
            default: return Literal(EscapedSet() ?? RuneSet.Of(EscapedRune()));
        }
    }

    // \141 is octal where all three digits are.
    private bool IsOctal() => _at + 3 <= _text.Length && _text.AsSpan(_at, 3).IndexOfAnyExceptInRange('0', '7') < 0;

    // \d and its like, \p{..}; null: none of them.
    private RuneSet? EscapedSet()
    {
        RuneSet? set = char.ToLowerInvariant(Current) switch
        {
            'd' => RuneSets.Digit,
            'w' => RuneSets.Word,
            's' => RuneSets.Space,
            'h' => RuneSets.HexDigit,
            _ => null,
        };
        if (set is not null)
        {
            return char.IsUpper(_text[_at++]) ? set.Not() : set;
        }
        if (Current is not ('p' or 'P') || _at + 1 >= _text.Length || _text[_at + 1] != '{')
        {
            return null;
        }
        int end = _text.IndexOf('}', _at);
        string name = end < 0 ? throw Error("a property without an end") : _text[(_at + 2)..end];
        bool negated = Current == 'P' ^ name.StartsWith('^');
        set = RuneSets.Named(name.TrimStart('^')) ?? throw Error($"the unknown property \"{name}\"");
        _at = end + 1;
        return negated ? set.Not() : set;
    }

    private int EscapedRune()
    {
        char c = Current;
        switch (c)
        {
            case 't': _at++; return '\t';
            case 'n': _at++; return '\n';
            case 'r': _at++; return '\r';
            case 'f': _at++; return '\f';
            case 'v': _at++; return '\v';
            case 'a': _at++; return '\a';
            case 'e': _at++; return 0x1B;
            case 'u': _at++; return Number(4, 4, 16);
            case 'x' when _at + 1 < _text.Length && _text[_at + 1] == '{':
                _at += 2;
                int rune = Number(1, 8, 16);
                return Take('}') ? rune : throw Error("\\x{ without an end");
            case 'x': _at++; return Number(1, 2, 16);
            case >= '0' and <= '7': return Number(1, 3, 8);
            default: return Rune();
        }
    }

    private int Number(int min, int max, int radix)
    {
        int value = 0, count = 0;
        while (count < max && !IsAtEnd && char.IsAsciiHexDigit(Current) && Convert.ToInt32(Current.ToString(), 16) < radix)
        {
            value = (value * radix) + Convert.ToInt32(Current.ToString(), 16);
            _at++;
            count++;
        }
        return count >= min && value is >= 0 and < RuneSet.Limit ? value : throw Error("a code point that is none");
    }

    // [..]: ranges, classes in it, && between intersected parts.
    private RuneSet Class()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"more than {MaxDepth} classes in each other");
        }
        _at++;
        bool negated = Take('^');
        RuneSet set = RuneSet.None;
        RuneSet? others = null;
        for (bool first = true; first || IsAtEnd || Current != ']'; first = false)
        {
            if (IsAtEnd)
            {
                throw Error("a class without an end");
            }
            if (Starts("&&"))
            {
                _at += 2;
                others = others?.And(set) ?? set;
                set = RuneSet.None;
                continue;
            }
            set = set.Or(Posix() ?? (Current == '[' ? Class() : ClassItem()));
        }
        _at++;
        _depth--;
        set = others?.And(set) ?? set;
        return negated ? set.Not() : set;
    }

    private RuneSet ClassItem()
    {
        if (Take('\\'))
        {
            if (IsAtEnd)
            {
                throw Error("a backslash at the end");
            }
            if (EscapedSet() is { } set)
            {
                return set;
            }
            _at--;
        }
        int start = ClassRune();
        if (_at + 1 >= _text.Length || Current != '-' || _text[_at + 1] is ']' || _text.AsSpan(_at + 1).StartsWith("&&"))
        {
            return RuneSet.Of(start);
        }
        _at++;
        if (Current == '[' || (Current == '\\' && _at + 1 < _text.Length && "dDwWsShHpP".Contains(_text[_at + 1], StringComparison.Ordinal)))
        {
            return RuneSet.Of(start, '-'); // a hyphen before a class
        }
        int end = ClassRune();
        return end >= start ? RuneSet.Range(start, end) : throw Error("a range whose end lies before its start");
    }

    private int ClassRune()
    {
        if (!Take('\\'))
        {
            return Rune();
        }
        if (IsAtEnd)
        {
            throw Error("a backslash at the end");
        }
        return Take('b') ? '\b' : EscapedRune();
    }

    private RuneSet? Posix()
    {
        int end = Starts("[:") ? _text.IndexOf(":]", _at + 2, StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            return null;
        }
        string name = _text[(_at + 2)..end];
        if (name.TrimStart('^') is not ("alnum" or "alpha" or "ascii" or "blank" or "cntrl" or "digit" or "graph" or "lower" or "print" or "punct" or "space" or "upper" or "xdigit" or "word"))
        {
            return null;
        }
        _at = end + 2;
        RuneSet set = RuneSets.Named(name.TrimStart('^'))!;
        return name.StartsWith('^') ? set.Not() : set;
    }

    private int Rune()
    {
        _at += Text.Runes.Decode(_text, _at, out int rune);
        return rune;
    }

    // Space and comments in the extended syntax.
    private bool SkipSpace()
    {
        int start = _at;
        while (_spaced && !IsAtEnd && (char.IsWhiteSpace(Current) || Current == '#'))
        {
            int line = Current == '#' ? _text.IndexOf('\n', _at) : _at;
            _at = line < 0 ? _text.Length : line + 1;
        }
        return _at > start;
    }

    private bool Starts(string text) => _text.AsSpan(_at).StartsWith(text);

    private bool Take(char c)
    {
        bool found = !IsAtEnd && Current == c;
        _at += found ? 1 : 0;
        return found;
    }
}
