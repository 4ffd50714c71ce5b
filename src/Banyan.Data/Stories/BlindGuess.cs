namespace Banyan.Data.Stories;

/// <summary>
/// The best a reader can do who sees the question and not the story: the answer that was most frequent in training, for the question's exact
/// text where that was seen, else for its kind.
/// </summary>
public sealed class BlindGuess
{
    private readonly Dictionary<string, Dictionary<string, int>> _answers = [];

    /// <summary>Counts the answers of the training documents.</summary>
    public BlindGuess(IEnumerable<StoryDocument> training)
    {
        foreach (StoryQuestion question in training.SelectMany(d => d.Questions))
        {
            Count(question.Text, question.Answer);
            Count(question.Kind.ToString(), question.Answer);
        }
    }

    /// <summary>The share of questions answered exactly, the better of guessing by text and guessing by kind.</summary>
    public double Accuracy(IEnumerable<StoryDocument> documents)
    {
        int byText = 0, byKind = 0, all = 0;
        foreach (StoryQuestion question in documents.SelectMany(d => d.Questions))
        {
            all++;
            byText += Guess(question) == question.Answer ? 1 : 0;
            byKind += MostFrequent(question.Kind.ToString()) == question.Answer ? 1 : 0;
        }
        return all == 0 ? 0 : Math.Max(byText, byKind) / (double)all;
    }

    /// <summary>The most frequent answer, or null when training had no question of the kind.</summary>
    public string? Guess(StoryQuestion question) => MostFrequent(question.Text) ?? MostFrequent(question.Kind.ToString());

    private string? MostFrequent(string pattern) =>
        _answers.TryGetValue(pattern, out Dictionary<string, int>? counts)
            ? counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key // ties: the same answer on every run
            : null;

    private void Count(string pattern, string answer)
    {
        if (!_answers.TryGetValue(pattern, out Dictionary<string, int>? counts))
        {
            _answers[pattern] = counts = [];
        }
        counts[answer] = counts.GetValueOrDefault(answer) + 1;
    }
}
