namespace Banyan.Data.Batches;

/// <summary>One row of a <see cref="TrainingBatch"/> while it is filled; all spans have the sequence length.</summary>
internal readonly ref struct SequenceRow(Span<int> inputIds, Span<int> targets, Span<int> positions, Span<int> documentIds)
{
    public readonly Span<int> InputIds = inputIds, Targets = targets, Positions = positions, DocumentIds = documentIds;

    public int Length => InputIds.Length;

    public SequenceRow Slice(int start, int length) => new(InputIds.Slice(start, length), Targets.Slice(start, length),
        Positions.Slice(start, length), DocumentIds.Slice(start, length));

    /// <summary>
    /// Inputs are the tokens from <paramref name="start"/> on, targets the tokens one further: one stretch of one document, its positions
    /// counted from 0.
    /// </summary>
    public void Fill(Corpora.TokenCorpus corpus, long start, int documentId)
    {
        corpus.Read(start, InputIds);
        InputIds[1..].CopyTo(Targets);
        corpus.Read(start + Length, Targets[^1..]);
        Mark(documentId);
    }

    /// <summary>Padding: nothing to learn, and a document of its own that nothing else attends to.</summary>
    public void Pad(int documentId)
    {
        InputIds.Clear();
        Targets.Fill(TrainingBatch.IgnoreIndex);
        Mark(documentId);
    }

    private void Mark(int documentId)
    {
        for (int i = 0; i < Length; i++)
        {
            Positions[i] = i;
        }
        DocumentIds.Fill(documentId);
    }
}
