using System.Diagnostics;
using Banyan.Testing;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Patterns.Regex;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Tests.Patterns;

/// <summary>The regular expressions of tokenizers: the same pieces as the hand-written matchers, as .NET's engine where it has the syntax, and no text that makes them slow.</summary>
public sealed class LinearRegexTests
{
    public static TheoryData<string> Known => [KnownPatterns.Gpt2, KnownPatterns.Llama3, KnownPatterns.Qwen2, KnownPatterns.Qwen35, KnownPatterns.Cl100kJson, KnownPatterns.O200k];

    [Theory, MemberData(nameof(Known))]
    public void Known_patterns_give_the_pieces_of_their_matchers(string pattern)
    {
        PieceMatcher matcher = PieceMatcher.ForPattern(pattern)!;
        LinearRegex regex = LinearRegex.Of(pattern);
        foreach (string text in Texts(2000, "aZéßſ漢ก'st ll vRE d  \t\r\n\n19²½.,!_-\u0301\u200d😀🏽Ⅳ٣"))
        {
            var expected = new List<(int, int)>();
            for (int i = 0; i < text.Length;)
            {
                int end = matcher.Match(text, i);
                expected.Add((i, end));
                i = end;
            }
            Assert.Equal((text, string.Join(' ', expected)), (text, string.Join(' ', regex.Find(text).Select(p => (p.Start, p.End)))));
        }
    }

    [Theory]
    [InlineData("a*?b|ab+")]
    [InlineData("(ab|a)(bc|c)?")]
    [InlineData("[^ab]+(?!c)")]
    [InlineData(@"\b[abc]{2,3}\b")]
    [InlineData("(?<=a)b|(?<!c)c")]
    [InlineData("((a|b)*c)+|[ab]{1,2}?")]
    [InlineData("(?i)AB|c+")]
    [InlineData("(a?){3}b")]
    [InlineData(@"\Aab|c\z")]
    [InlineData("x*")]
    public void Others_give_the_matches_of_a_backtracking_engine(string pattern)
    {
        LinearRegex regex = LinearRegex.Of(pattern);
        var reference = new System.Text.RegularExpressions.Regex(pattern, System.Text.RegularExpressions.RegexOptions.CultureInvariant);
        foreach (string text in Texts(3000, "aaabbbccx  B"))
        {
            // .NET counts an empty match right behind a match; Oniguruma's iterator does not.
            var expected = new List<(int, int)>();
            int last = -1;
            foreach (System.Text.RegularExpressions.Match m in reference.Matches(text))
            {
                if (m.Length > 0 || m.Index != last)
                {
                    expected.Add((m.Index, m.Index + m.Length));
                    last = m.Index + m.Length;
                }
            }
            Assert.Equal((text, string.Join(' ', expected)), (text, string.Join(' ', regex.Find(text).Where(p => p.IsMatch).Select(p => (p.Start, p.End)))));
        }
    }

    [Theory]
    [InlineData("(", "without an end")]
    [InlineData("a)", "without an opening")]
    [InlineData("[z-a]", "range")]
    [InlineData("*a", "nothing before")]
    [InlineData(@"(a)\1", "reference back")]
    [InlineData(@"\p{Nope}", "Nope")]
    [InlineData("(?>ab|a)c", "atomic")]
    [InlineData("a++a", "possessive")]
    [InlineData("(?=ab)a", "further than one")]
    [InlineData("((((a{90}){90}){90}){90}", "")]
    [InlineData("(?s).", "unknown kind")]
    public void What_is_none_or_not_supported_is_refused(string pattern, string part) =>
        Assert.Contains(part, Assert.Throws<FormatException>(() => LinearRegex.Of(pattern)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(a|aa)+$")]
    [InlineData("(.*)*b")]
    [InlineData(@"\s+$")]
    [InlineData("a*b|c")]
    public void No_text_makes_them_slow(string pattern)
    {
        LinearRegex regex = LinearRegex.Of(pattern);
        Stopwatch clock = Stopwatch.StartNew();
        foreach (char c in "a ")
        {
            regex.Find(new string(c, 1_000_000) + "!");
        }
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed}");
    }

    [Fact]
    public void Searches_that_read_far_ahead_for_little_end_in_an_error() =>
        Assert.Throws<InvalidOperationException>(() => LinearRegex.Of("x*y|x").Find(new string('x', 1_000_000)));

    private static IEnumerable<string> Texts(int count, string alphabet)
    {
        string[] letters = [.. alphabet.EnumerateRunes().Select(r => r.ToString())];
        var random = new Random(5);
        for (int i = 0; i < count; i++)
        {
            yield return string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => letters[random.Next(letters.Length)]));
        }
    }
}
