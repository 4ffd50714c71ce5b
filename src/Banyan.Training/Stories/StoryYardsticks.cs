using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Data.NGrams;
using Banyan.Data.Stories;
using Banyan.Inference;
using Banyan.Tokenizers;

namespace Banyan.Training.Stories;

/// <summary>
/// What a model of the generated stories is measured by. The generator knows the probability of each of its choices, so the held-out text has a
/// known entropy (the floor); a unigram model and a modified Kneser-Ney trigram count the same training tokens. All are nats per predicted
/// token: those of the text and the end mark of each document.
/// </summary>
/// <param name="FloorLoss">The entropy of the held-out text.</param>
/// <param name="TrigramLoss">Modified Kneser-Ney, order 3.</param>
/// <param name="UnigramLoss">The same, order 1.</param>
/// <param name="BlindAccuracy">Share of questions that the best guess without the story answers.</param>
public sealed record StoryYardsticks(double FloorLoss, double TrigramLoss, double UnigramLoss, double BlindAccuracy)
{
    /// <summary>Measures the yardsticks.</summary>
    /// <param name="training">The documents that train.</param>
    /// <param name="heldOut">The documents that are held out.</param>
    /// <param name="tokenizer">The tokenizer; its special tokens are not counted.</param>
    /// <param name="endId">The end mark.</param>
    public static StoryYardsticks Measure(IReadOnlyList<StoryDocument> training, IReadOnlyList<StoryDocument> heldOut, Tokenizer tokenizer, int endId)
    {
        List<ReadOnlyMemory<int>> seen = Encode(training, tokenizer), unseen = Encode(heldOut, tokenizer);
        long predicted = unseen.Sum(d => d.Length + 1L);
        double Loss(int order)
        {
            var model = KneserNeyModel.TrainModified(seen, tokenizer.VocabularySize, endId, order);
            return unseen.Sum(d => model.Nll(d.Span)) / predicted;
        }
        return new StoryYardsticks(heldOut.Sum(d => d.Nll) / predicted, Loss(3), Loss(1), new BlindGuess(training).Accuracy(heldOut));
    }

    /// <summary>The share of the way from the trigram to the floor that a loss has come.</summary>
    public double Closed(double loss) => (TrigramLoss - loss) / (TrigramLoss - FloorLoss);

    /// <summary>The model's loss on the held-out documents, each whole and alone.</summary>
    public static double LossOf(LanguageModel lm, IReadOnlyList<StoryDocument> heldOut, int endId, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        using TokenCorpus corpus = TokenCorpus.From(heldOut.Select(d => (ReadOnlyMemory<int>)(int[])[.. lm.Tokenizer.EncodeToIds(d.Text), endId]));
        int longest = (int)Enumerable.Range(0, (int)corpus.DocumentCount).Max(i => corpus.DocumentStart(i + 1) - corpus.DocumentStart(i));
        var batches = new TokenBatches(new PackedDocuments(corpus, Math.Max(longest, 2)), 0, 8);
        return HeldOutLoss.Of(lm.Model, batches, batches.StepsPerEpoch, pool, cancellationToken);
    }

    /// <summary>The share of questions that the model answers exactly, taking its most probable tokens.</summary>
    public static double AnswersOf(LanguageModel lm, IReadOnlyList<StoryDocument> heldOut, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        const int Batch = 32;
        var options = new GenerationOptions { Temperature = 0, MaxNewTokens = 12, StopStrings = ["."] };
        (string Prompt, string Answer)[] questions = [.. heldOut.SelectMany(d => d.Questions.Select(q => (d.Text[..q.PromptEndOffset], q.Answer)))];
        int right = 0;
        foreach ((string Prompt, string Answer)[] chunk in questions.Chunk(Batch))
        {
            Completion[] answers = lm.Generate([.. chunk.Select(q => lm.Tokenizer.EncodeToIds(q.Prompt))], options, pool: pool, cancellationToken: cancellationToken);
            right += answers.Zip(chunk).Count(a => a.First.Text.Trim() == a.Second.Answer);
        }
        return right / (double)Math.Max(questions.Length, 1);
    }

    private static List<ReadOnlyMemory<int>> Encode(IReadOnlyList<StoryDocument> documents, Tokenizer tokenizer) =>
        [.. documents.Select(d => (ReadOnlyMemory<int>)tokenizer.EncodeToIds(d.Text, addSpecialTokens: false))];
}
