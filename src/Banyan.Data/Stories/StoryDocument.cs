namespace Banyan.Data.Stories;

/// <summary>What a question asks for.</summary>
public enum QuestionKind
{
    /// <summary>"Where is the red ball?": a place.</summary>
    WhereThing,

    /// <summary>"Who has the red ball now?": a name.</summary>
    WhoHas,

    /// <summary>"How many apples does Mia have now?": a number word.</summary>
    HowMany,

    /// <summary>"Where is Tom now?": a place.</summary>
    WherePerson,

    /// <summary>"Who came with the red ball?": a name.</summary>
    WhoBrought,
}

/// <summary>A question inside a <see cref="StoryDocument"/>.</summary>
/// <param name="Text">The question alone, for example <c>Where is Tom now?</c>.</param>
/// <param name="PromptEndOffset">
/// Where a prompt ends (an index of <see cref="StoryDocument.Text"/>, right behind <c>Answer:</c>): the text goes on with a space, the
/// answer and a full stop.
/// </param>
/// <param name="Answer">One word.</param>
/// <param name="Kind">What is asked for.</param>
/// <param name="IsHeldOut">True when the combination asked about (name and thing, name and place...) never occurs in training documents.</param>
public sealed record StoryQuestion(string Text, int PromptEndOffset, string Answer, QuestionKind Kind, bool IsHeldOut);

/// <summary>A short story with questions and answers about it.</summary>
/// <param name="Text">The story, then lines <c>Question: ...?</c> and <c>Answer: ....</c>, without a marker at the end.</param>
/// <param name="Nll">
/// The exact -ln of the text's probability under the generator, in nats: the sum over its choices of ln(number of equally likely
/// alternatives). No reader that predicts the generator's documents can pay less on average.
/// </param>
/// <param name="Questions">The questions in the order of the text.</param>
public sealed record StoryDocument(string Text, double Nll, IReadOnlyList<StoryQuestion> Questions);
