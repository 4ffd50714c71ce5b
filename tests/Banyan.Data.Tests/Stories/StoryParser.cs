using System.Text.RegularExpressions;
using Banyan.Data.Stories;

namespace Banyan.Data.Tests.Stories;

/// <summary>
/// A second, independent reading of the grammar: it recovers every choice from the text alone, multiplies their probabilities, and writes the
/// text that these choices must give. Only the word lists are shared with the generator.
/// </summary>
internal sealed class StoryParser
{
    private readonly List<(string Name, string Thing)> _cast = [];
    private readonly List<(string Question, string Answer)> _facts = [];
    private readonly HashSet<string> _actors = [], _foods = [];
    private int _usedPlaces;

    public double Probability { get; private set; } = 1;

    /// <summary>Question lines that the story supports, in the order asked, with answers computed by the parser.</summary>
    public List<(string Question, string Answer)> Asked { get; } = [];

    public static StoryParser Parse(string text)
    {
        var parser = new StoryParser();
        string[] lines = text.Split('\n');
        Assert.Equal(5, lines.Length);
        string rest = parser.Opening(lines[0]);
        rest = parser.Scene(parser.Scene(rest));
        Assert.Equal(" At night, " + string.Join(", ", parser._cast.Take(2).Select(Dream)) + $" and {Dream(parser._cast[2])}.", rest);
        parser.AskLines(lines);
        return parser;

        static string Dream((string Name, string Thing) c) => $"{c.Name} dreamed of the {c.Thing}";
    }

    private string Opening(string text)
    {
        const string who = @"(\w+) came", with = @"with a (\w+) (\w+)";
        Match m = Match(text, $@"^One (\w+) (\w+), {who} to the (\w+) {with}, {who} {with} and {who} {with}\.");
        string[] g = [.. m.Groups.Values.Select(v => v.Value)];
        OneOf(StoryWords.Weathers, g[1]);
        OneOf(StoryWords.Times, g[2]);
        Place(g[4]);
        int[] nameAt = [3, 7, 10];
        for (int i = 0; i < 3; i++)
        {
            int thingAt = nameAt[i] + (i == 0 ? 2 : 1);
            OneOf(StoryWords.Names, g[nameAt[i]], i);
            OneOf(StoryWords.Colors, g[thingAt], i);
            OneOf(StoryWords.Things, g[thingAt + 1], i);
            _cast.Add((g[nameAt[i]], $"{g[thingAt]} {g[thingAt + 1]}"));
        }
        return text[m.Length..];
    }

    private string Scene(string text)
    {
        Match head = Match(text, @"^ (\w+) (\w+)(?= )");
        OneOf(StoryWords.Openers, head.Groups[1].Value);
        string x = head.Groups[2].Value;
        Probability /= 3 - _actors.Count;
        Assert.True(_actors.Add(x));
        string thing = _cast.Single(c => c.Name == x).Thing;
        string verb = Match(text[head.Length..], @"^ (\w+)").Groups[1].Value;
        Probability /= 4;
        string after = text[head.Length..];
        int consumed = verb switch
        {
            "hid" or "left" => Hide(after, x, thing, verb),
            "gave" or "handed" => Give(after, x, thing, verb),
            "found" or "had" => Count(after, x, verb),
            "went" or "walked" => Visit(after, x, verb),
            _ => throw new FormatException("verb " + verb),
        };
        Probability /= 2; // every kind has two wordings
        return after[consumed..];
    }

    private int Hide(string text, string x, string thing, string verb)
    {
        string she = She(x);
        Match m = Match(text, verb == "hid"
            ? $@"^ hid the {thing} in the (\w+)\. ""Nobody will find the {thing} in the \1,"" said {x}\."
            : $@"^ left the {thing} in the (\w+)\. ""The \1 is a good home for the {thing},"" {she} said\.");
        Place(m.Groups[1].Value);
        _facts.Add(($"Where is the {thing}?", m.Groups[1].Value));
        return m.Length;
    }

    private int Give(string text, string x, string thing, string verb)
    {
        Match m = Match(text, verb == "gave"
            ? $@"^ gave the {thing} to (\w+)\. ""Thank you for the {thing}, {x},"" said \1\."
            : $@"^ handed the {thing} to (\w+), and \1 was (\w+) about the {thing} all day\.");
        OtherThan(x, m.Groups[1].Value);
        if (verb == "handed")
        {
            OneOf(StoryWords.Moods, m.Groups[2].Value);
        }
        _facts.Add(($"Who has the {thing} now?", m.Groups[1].Value));
        return m.Length;
    }

    private int Count(string text, string x, string verb)
    {
        string middle = verb == "found" ? $"{She(x)} picked" : $@"(?<giver>\w+) gave {(She(x) == "she" ? "her" : "him")}";
        Match m = Match(text, $@"^ {verb} (?<n>\w+) (?<f>\w+), and {middle} (?<m>\w+) more\. ""Look, \k<n> and \k<m> make (?<s>\w+),"" " +
            $@"said {x}\. ""Now I have \k<s> \k<f>!""");
        int n = Number(m.Groups["n"].Value), more = Number(m.Groups["m"].Value), sum = Array.IndexOf(StoryWords.Numbers, m.Groups["s"].Value);
        Assert.Equal(n + more, sum);
        if (verb == "had")
        {
            OtherThan(x, m.Groups["giver"].Value);
        }
        string food = m.Groups["f"].Value;
        OneOf(StoryWords.Foods, food, _foods.Count);
        Assert.True(_foods.Add(food));
        _facts.Add(($"How many {food} does {x} have now?", m.Groups["s"].Value));
        return m.Length;
    }

    private int Visit(string text, string x, string verb)
    {
        Match m = Match(text,
            $@"^ {verb} to the (\w+) to see the (\w+)\. The \2 was asleep in the \1, so {x} waited for the \2\.");
        Place(m.Groups[1].Value);
        OneOf(StoryWords.Animals, m.Groups[2].Value);
        _facts.Add(($"Where is {x} now?", m.Groups[1].Value));
        return m.Length;
    }

    private void AskLines(string[] lines)
    {
        Assert.Equal(2, _facts.Count);
        for (int i = 0; i < 2; i++)
        {
            string question = lines[1 + (2 * i)]["Question: ".Length..];
            Assert.StartsWith("Question: ", lines[1 + (2 * i)]);
            Probability /= 3 - i;
            string answer;
            if (question.StartsWith("Who came", StringComparison.Ordinal))
            {
                Probability /= 3;
                answer = _cast.Single(c => question == $"Who came with the {c.Thing}?").Name;
            }
            else
            {
                answer = _facts.Single(f => f.Question == question).Answer;
            }
            Assert.Equal($"Answer: {answer}.", lines[2 + (2 * i)]);
            Asked.Add((question, answer));
        }
    }

    private static Match Match(string text, string pattern)
    {
        Match m = Regex.Match(text, pattern);
        Assert.True(m.Success, $"{pattern} does not match {text}");
        return m;
    }

    private void OneOf(string[] words, string word, int used = 0)
    {
        Assert.Contains(word, words);
        Probability /= words.Length - used;
    }

    private void Place(string place) => OneOf(StoryWords.Places, place, _usedPlaces++);

    private void OtherThan(string x, string y)
    {
        Assert.Contains(_cast, c => c.Name == y && c.Name != x);
        Probability /= 2;
    }

    private int Number(string word)
    {
        int value = Array.IndexOf(StoryWords.Numbers, word);
        Assert.InRange(value, 2, 9);
        Probability /= 8;
        return value;
    }

    private static string She(string name) => Array.IndexOf(StoryWords.Names, name) < 32 ? "she" : "he";
}
