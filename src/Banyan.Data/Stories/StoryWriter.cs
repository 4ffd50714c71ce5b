using System.Text;

namespace Banyan.Data.Stories;

/// <summary>Makes choices, adds up what they cost, and collects the text. One writer is reused for many documents.</summary>
internal sealed class StoryWriter
{
    private static readonly double[] Log = [.. Enumerable.Range(0, 128).Select(n => Math.Log(n))];

    private CounterRandom _random;

    public StringBuilder Text { get; } = new(1024);

    public List<StoryQuestion> Questions { get; } = [];

    /// <summary>-ln of the probability of the choices so far.</summary>
    public double Nll { get; private set; }

    /// <summary>True once the text has stated a held-out combination.</summary>
    public bool StatesHeldOut { get; private set; }

    public void Reset(in CounterRandom random)
    {
        _random = random;
        Clear();
    }

    /// <summary>Forgets the text and keeps drawing from the same random numbers: the next attempt.</summary>
    public void Clear()
    {
        Text.Clear();
        Questions.Clear();
        Nll = 0;
        StatesHeldOut = false;
    }

    /// <summary>One of <paramref name="n"/> equally likely alternatives.</summary>
    public int Choose(int n)
    {
        Nll += Log[n];
        return _random.NextInt(n);
    }

    /// <summary>One of the alternatives 0..n-1 that are not yet in <paramref name="used"/>, and puts it there.</summary>
    public int ChooseNew(int n, List<int> used)
    {
        int rank = Choose(n - used.Count);
        int choice = 0;
        while (used.Contains(choice) || rank-- > 0)
        {
            choice++;
        }
        used.Add(choice);
        return choice;
    }

    /// <summary>One word of a table.</summary>
    public string Pick(string[] words) => words[Choose(words.Length)];

    /// <summary>Notes that the text states a combination.</summary>
    public bool State(bool isHeldOut)
    {
        StatesHeldOut |= isHeldOut;
        return isHeldOut;
    }

    /// <summary>Appends a question with its answer.</summary>
    public void Ask(in PendingQuestion question)
    {
        Text.Append("\nQuestion: ").Append(question.Text).Append("\nAnswer:");
        Questions.Add(new StoryQuestion(question.Text, Text.Length, question.Answer, question.Kind, question.IsHeldOut));
        Text.Append(' ').Append(question.Answer).Append('.');
    }
}

/// <summary>A question that the story so far can answer.</summary>
internal readonly record struct PendingQuestion(QuestionKind Kind, string Text, string Answer, bool IsHeldOut);
