using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PreTokenizers;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>Normalizes and cuts texts into the words that a trainer counts.</summary>
internal sealed class TextFeed(TokenizerParts parts)
{
    private const int ReportEvery = 1 << 12;

    public WordCounts Count(IEnumerable<string> texts, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        PieceMatcher? matcher = IdEncoder.ByteLevelMatcher(parts.PreTokenizer);
        WordCounts words = new();
        long done = 0;
        foreach (string text in texts)
        {
            if (done++ % ReportEvery == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report(new("count words", done - 1, 0));
            }
            if (matcher is not null)
            {
                CountMatches(Normalize(text), matcher, words);
            }
            else
            {
                CountPieces(text, words);
            }
        }
        return matcher is null ? words : ToBytes(words);
    }

    private ReadOnlySpan<char> Normalize(string text) =>
        parts.Normalizer is null || parts.Normalizer.IsUnchanged(text) ? text : parts.Normalizer.Normalize(text);

    private static void CountMatches(ReadOnlySpan<char> text, PieceMatcher matcher, WordCounts words)
    {
        for (int i = 0; i < text.Length;)
        {
            int end = matcher.Match(text, i);
            words.Add(text[i..end]);
            i = end;
        }
    }

    /// <summary>Words were counted as text; their bytes are written only once for each.</summary>
    private static WordCounts ToBytes(WordCounts words)
    {
        WordCounts result = new();
        foreach ((string word, long count) in words.Items)
        {
            result.Add(ByteAlphabet.Write(System.Text.Encoding.UTF8.GetBytes(word)), count);
        }
        return result;
    }

    private void CountPieces(string text, WordCounts words)
    {
        AlignedText aligned = AlignedText.FromOriginal(text, 0);
        aligned = parts.Normalizer?.Normalize(aligned) ?? aligned;
        if (aligned.Length == 0)
        {
            return;
        }
        List<Piece> pieces = [new(aligned, 0, aligned.Length)];
        foreach (Piece piece in parts.PreTokenizer?.Apply(pieces) ?? pieces)
        {
            words.Add(piece.Span);
        }
    }
}
