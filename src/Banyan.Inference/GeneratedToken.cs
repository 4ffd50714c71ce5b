namespace Banyan.Inference;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model wrote a token that ends a text.</summary>
    End,

    /// <summary>A stop string appeared.</summary>
    StopString,

    /// <summary>The number of tokens, or the model's context, is used up.</summary>
    Length,
}

/// <summary>A token as it is generated.</summary>
/// <param name="Sequence">Which sequence: prompt index times the number of completions, plus the completion.</param>
/// <param name="Id">The token.</param>
/// <param name="LogProb">Its natural log-probability under the model, before temperature and filters.</param>
/// <param name="Text">The text that became certain with it; empty in the middle of a character or of a possible stop string.</param>
/// <param name="Finish">Set at the last token of a sequence.</param>
/// <param name="Top">The most probable tokens with their log-probabilities, where asked for.</param>
public readonly record struct GeneratedToken(int Sequence, int Id, double LogProb, string Text, FinishReason? Finish, IReadOnlyList<(int Id, double LogProb)> Top);

/// <summary>A finished completion.</summary>
/// <param name="PromptIds">What was given.</param>
/// <param name="Ids">What was generated.</param>
/// <param name="LogProbs">Natural log-probability of each.</param>
/// <param name="Text">The generated text, without the stop string.</param>
/// <param name="Finish">Why it ended.</param>
/// <param name="Top">For each token the most probable ones, where asked for.</param>
public sealed record Completion(IReadOnlyList<int> PromptIds, IReadOnlyList<int> Ids, IReadOnlyList<double> LogProbs, string Text, FinishReason Finish,
    IReadOnlyList<IReadOnlyList<(int Id, double LogProb)>> Top);
