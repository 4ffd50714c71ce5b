using System.Collections.Concurrent;
using Banyan.Tokenizers.PreTokenizers;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>
/// A regular expression that no text can make slow: each search reads every character at most three times (forwards from where it must begin, forwards from anywhere, backwards
/// to where the match began). Safe from several threads.
/// </summary>
internal sealed class LinearRegex
{
    // Searches that each read far ahead and take little (x*y|x on many x) add up to the square of the text: they end in an error.
    private const long StepsPerUnit = 512, FreeSteps = 10_000_000;

    private static readonly ConcurrentDictionary<string, LinearRegex> s_known = new(StringComparer.Ordinal);

    private readonly string _pattern;
    private readonly RuneClasses _classes;
    private readonly LazyAutomaton _forwards, _backwards;
    private readonly int _anywhere;

    private LinearRegex(string pattern)
    {
        _pattern = pattern;
        PatternNode node = PatternParser.Parse(pattern);
        PatternProgram program = new(node, backwards: false), reverse = new(node, backwards: true);
        _classes = new(program.Sets.Concat(program.Places.SelectMany(p => new[] { p.Before, p.After })));
        _forwards = new(program, _classes, longest: false);
        _backwards = new(reverse, _classes, longest: true);
        _anywhere = program.Anywhere;
    }

    /// <summary>Reads an expression. Throws <see cref="FormatException"/> where it is none or uses what is not supported.</summary>
    public static LinearRegex Of(string pattern) => s_known.TryGetValue(pattern, out LinearRegex? known) ? known : s_known.Count < 1000 ? s_known.GetOrAdd(pattern, p => new(p)) : new(pattern);

    /// <summary>Matches and what lies between them, in order, covering the text. An empty match right behind a match does not count.</summary>
    /// <exception cref="InvalidOperationException">The searches take more than a fixed number of steps for each character.</exception>
    public List<MatchPart> Find(ReadOnlySpan<char> text)
    {
        List<MatchPart> parts = [];
        long steps = 0;
        int done = 0, from = 0, last = -1;
        while (from <= text.Length && Search(text, from, ref steps) is var (start, end) && end >= 0)
        {
            if (start == end && end == last)
            {
                from += from < text.Length ? Runes.Width(text, from) : 1;
                continue;
            }
            if (start > done)
            {
                parts.Add(new(done, start, false));
            }
            parts.Add(new(start, end, true));
            done = from = last = end;
            if (steps > FreeSteps + (StepsPerUnit * text.Length))
            {
                throw new InvalidOperationException($"the regular expression {_pattern} takes more than {StepsPerUnit} steps for each character of this text");
            }
        }
        if (done < text.Length)
        {
            parts.Add(new(done, text.Length, false));
        }
        return parts;
    }

    // The first match at or behind a place; an end of -1: none.
    private (int Start, int End) Search(ReadOnlySpan<char> text, int from, ref long steps)
    {
        int end = Forwards(text, from, start: 0, ref steps);
        if (end >= 0)
        {
            return (from, end);
        }
        end = Forwards(text, from, _anywhere, ref steps);
        return end < 0 ? (-1, -1) : (Backwards(text, from, end, ref steps), end);
    }

    private int Forwards(ReadOnlySpan<char> text, int from, int start, ref long steps)
    {
        LazyAutomaton.State state = _forwards.Begin(start, from > 0 ? _classes.Before(text, from, out _) : _classes.Count);
        int match = -1;
        for (int i = from; ; steps++)
        {
            int width = 0;
            state = _forwards.Next(state, i < text.Length ? _classes.At(text, i, out width) : _classes.Count);
            match = state.Matched ? i : match;
            if (i >= text.Length || state.IsDead)
            {
                return match;
            }
            i += width;
        }
    }

    // The furthest place, not before a limit, from which the expression matches up to an end.
    private int Backwards(ReadOnlySpan<char> text, int limit, int end, ref long steps)
    {
        LazyAutomaton.State state = _backwards.Begin(0, end < text.Length ? _classes.At(text, end, out _) : _classes.Count);
        int match = end;
        for (int i = end; ; steps++)
        {
            int width = 0;
            state = _backwards.Next(state, i > 0 ? _classes.Before(text, i, out width) : _classes.Count);
            match = state.Matched ? i : match;
            if (i <= limit || state.IsDead)
            {
                return match;
            }
            i -= width;
        }
    }
}
