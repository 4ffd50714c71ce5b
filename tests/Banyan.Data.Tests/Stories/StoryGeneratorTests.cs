using System.Text.RegularExpressions;
using Banyan.Data.Stories;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.Stories;

public class StoryGeneratorTests
{
    [Fact]
    public void Every_document_reads_back_into_its_choices_and_their_cost()
    {
        var generator = new StoryGenerator(3);
        for (int i = 0; i < 2000; i++)
        {
            StoryDocument document = (i % 3) switch { 0 => generator.Training(i), 1 => generator.HeldOut(i), _ => generator.Unconditioned(i) };
            StoryParser parsed = StoryParser.Parse(document.Text);
            Assert.Equal(-Math.Log(parsed.Probability), document.Nll, 1e-9);
            Assert.Equal(parsed.Asked, document.Questions.Select(q => (q.Text, q.Answer)));
        }
    }

    [Fact]
    public void The_mean_cost_is_the_entropy_of_the_grammar()
    {
        // By the chain rule, from the sizes of the word lists alone.
        static double Ln(double n) => Math.Log(n);
        double opening = Ln(16) + Ln(4) + Ln(32) + Ln(64 * 63 * 62) + Ln(12 * 11 * 10) + Ln(48 * 47 * 46);
        // The second scene's place is one of 30 when the first took one (hide and visit: half of the time), else of 31; foods likewise.
        double firstPlace = Ln(31), secondPlace = (0.5 * Ln(31)) + (0.5 * Ln(30));
        double secondFood = (0.75 * Ln(16)) + (0.25 * Ln(15));
        static double Scene(double actors, double place, double food)
        {
            double hide = place, give = Ln(2) + (0.5 * Ln(8)), count = food + (2 * Ln(8)) + (0.5 * Ln(2)), visit = place + Ln(24);
            return Ln(actors) + Ln(4) + Ln(4) + Ln(2) + ((hide + give + count + visit) / 4);
        }
        double questions = Ln(3) + Ln(2) + (2.0 / 3 * Ln(3));
        double entropy = opening + Scene(3, firstPlace, Ln(16)) + Scene(2, secondPlace, secondFood) + questions;

        var generator = new StoryGenerator(4);
        double[] costs = [.. Enumerable.Range(0, 20_000).Select(i => generator.Unconditioned(i).Nll)];
        double mean = costs.Average();
        double error = Math.Sqrt(costs.Sum(c => (c - mean) * (c - mean)) / costs.Length / costs.Length);
        Assert.InRange(mean - entropy, -4 * error, 4 * error);
    }

    [Fact]
    public void Training_never_states_a_pair_that_held_out_questions_ask_about()
    {
        var generator = new StoryGenerator(5);
        var seen = new HashSet<string>();
        for (int i = 0; i < 3000; i++)
        {
            StoryDocument document = generator.Training(i);
            Assert.All(document.Questions, q => Assert.False(q.IsHeldOut));
            seen.UnionWith(Combinations(document));
        }
        int asked = 0;
        for (int i = 0; i < 1000; i++)
        {
            StoryDocument document = generator.HeldOut(i);
            Assert.Contains(document.Questions, q => q.IsHeldOut);
            foreach (StoryQuestion question in document.Questions.Where(q => q.IsHeldOut))
            {
                asked++;
                Assert.DoesNotContain(Combination(question), seen);
            }
        }
        Assert.True(asked >= 1000);
    }

    [Fact]
    public void A_document_depends_on_seed_and_index_alone()
    {
        var walk = new StoryGenerator(6);
        string[] first = [.. Enumerable.Range(0, 20).Select(i => walk.Training(i).Text)];
        var jump = new StoryGenerator(6);
        for (int i = 19; i >= 0; i--)
        {
            Assert.Equal(first[i], jump.Training(i).Text);
            Assert.NotEqual(first[i], jump.HeldOut(i).Text);
        }
        Assert.Equal(20, first.Distinct().Count());
        Assert.NotEqual(first[0], new StoryGenerator(7).Training(0).Text);
    }

    [Fact]
    public void Prompt_and_answer_lie_where_the_question_says()
    {
        var generator = new StoryGenerator(8);
        foreach (StoryDocument document in generator.HeldOutCorpus(300))
        {
            Assert.Equal(2, document.Questions.Count);
            foreach (StoryQuestion q in document.Questions)
            {
                Assert.EndsWith($"\nQuestion: {q.Text}\nAnswer:", document.Text[..q.PromptEndOffset]);
                Assert.StartsWith($" {q.Answer}.", document.Text[q.PromptEndOffset..]);
                Assert.DoesNotContain(' ', q.Answer);
            }
        }
    }

    [Fact]
    public void Documents_are_short_and_the_vocabulary_is_closed()
    {
        var generator = new StoryGenerator(9);
        var words = new HashSet<string>();
        long bytes = 0, count = 0;
        foreach (StoryDocument document in generator.TrainingCorpus(1_000_000))
        {
            int length = document.Text.Split([' ', '\n']).Length;
            Assert.InRange(length, 60, 150);
            words.UnionWith(Regex.Matches(document.Text, @"\w+").Select(m => m.Value));
            Assert.All(document.Text, c => Assert.True(char.IsAscii(c)));
            bytes += document.Text.Length;
            count++;
        }
        Assert.InRange(bytes, 1_000_000, 1_002_000);
        Assert.InRange(words.Count, 300, 700);
    }

    [Fact]
    public void Acceptance_rates_are_those_in_the_documentation()
    {
        (double training, double heldOut) = new StoryGenerator(1).AcceptanceRates(20_000);
        Assert.InRange(-Math.Log(training), 0.7, 0.95);
        Assert.InRange(-Math.Log(heldOut), 1.6, 1.9);
    }

    [Fact]
    public void A_blind_guess_is_weak()
    {
        var generator = new StoryGenerator(10);
        var guess = new BlindGuess(generator.TrainingCorpus(2_000_000));
        Assert.InRange(guess.Accuracy(generator.HeldOutCorpus(2000)), 0.01, 0.12);
        Assert.Equal(0, guess.Accuracy([]));
    }

    [Fact]
    public void The_blind_guess_is_the_majority_answer()
    {
        static StoryDocument Asked(string text, string answer) =>
            new("", 0, [new StoryQuestion(text, 0, answer, QuestionKind.WherePerson, false)]);
        var guess = new BlindGuess([Asked("Where is Tom now?", "mill"), Asked("Where is Tom now?", "barn"), Asked("Where is Tom now?", "barn"),
            Asked("Where is Mia now?", "mill"), Asked("Where is Mia now?", "mill")]);
        Assert.Equal("barn", guess.Guess(Asked("Where is Tom now?", "?").Questions[0]));
        Assert.Equal("mill", guess.Guess(Asked("Where is Leo now?", "?").Questions[0]));
        Assert.Equal(0.5, guess.Accuracy([Asked("Where is Tom now?", "barn"), Asked("Where is Leo now?", "cave")]));
    }

    [Property]
    public void Distinct_choices_give_every_alternative_equally(byte n, ulong seed)
    {
        int size = (n % 12) + 1;
        var writer = new StoryWriter();
        writer.Reset(new CounterRandom(seed));
        List<int> used = [];
        for (int i = 0; i < size; i++)
        {
            writer.ChooseNew(size, used);
        }
        Assert.Equal(Enumerable.Range(0, size), used.Order());
        Assert.Equal(Enumerable.Range(1, size).Sum(k => Math.Log(k)), writer.Nll, 1e-9); // ln(size!)
    }

    // Every (name, thing), (name, place), (thing, place), (name, food) that a document states, in the form of Combination.
    private static IEnumerable<string> Combinations(StoryDocument document)
    {
        string story = document.Text[..document.Text.IndexOf('\n')];
        string? meeting = null;
        foreach (Match m in Regex.Matches(story, @"(\w+) came (?:to the (\w+) )?with a \w+ (\w+)"))
        {
            meeting ??= m.Groups[2].Value;
            yield return $"{m.Groups[1].Value} {m.Groups[3].Value}";
            yield return $"{m.Groups[1].Value} {meeting}";
        }
        foreach (Match m in Regex.Matches(story, @"(?:hid|left) the \w+ (\w+) in the (\w+)|(?:gave|handed) the \w+ (\w+) to (\w+)"))
        {
            yield return m.Groups[1].Success ? $"{m.Groups[1].Value} {m.Groups[2].Value}" : $"{m.Groups[4].Value} {m.Groups[3].Value}";
        }
        foreach (Match m in Regex.Matches(story, @"(\w+) (?:found|had) \w+ (\w+)|(\w+) (?:went|walked) to the (\w+)"))
        {
            yield return m.Groups[1].Success ? $"{m.Groups[1].Value} {m.Groups[2].Value}" : $"{m.Groups[3].Value} {m.Groups[4].Value}";
        }
    }

    private static string Combination(StoryQuestion q)
    {
        string[] words = q.Text.TrimEnd('?').Split(' ');
        return q.Kind switch
        {
            QuestionKind.WhereThing => $"{words[^1]} {q.Answer}",
            QuestionKind.WhoHas => $"{q.Answer} {words[^2]}",
            QuestionKind.HowMany => $"{words[4]} {words[2]}",
            QuestionKind.WherePerson => $"{words[2]} {q.Answer}",
            _ => $"{q.Answer} {words[^1]}",
        };
    }
}
