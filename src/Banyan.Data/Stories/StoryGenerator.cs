namespace Banyan.Data.Stories;

/// <summary>
/// Writes short stories with questions about them, out of nothing but a seed: a corpus of any size whose entropy is known exactly.
/// Document i is a pure function of (seed, split, i).
/// </summary>
/// <remarks>
/// <para>
/// Let U be the grammar's distribution. One pair in ten of each relation (name and thing, name and place, thing and place, name and food) is
/// held out. A training document is drawn from U given that it states no held-out pair; a held-out document from U given that at least one of
/// its questions asks about a held-out pair. So a right answer there was never seen and cannot be remembered.
/// </para>
/// <para>
/// <see cref="StoryDocument.Nll"/> is -ln U(text) in both splits: what a reader pays who knows the grammar and not which pairs are held out.
/// The conditional entropies differ from it by a constant per document, exactly: -ln P(training | U) is about 0.86 nats and -ln P(held-out | U)
/// about 1.65 nats less, 0.006 and 0.012 nats per token. <see cref="AcceptanceRates"/> measures both.
/// </para>
/// </remarks>
public sealed class StoryGenerator
{
    private const uint TrainingStream = 1;
    private const uint HeldOutStream = 2;
    private const uint UnconditionedStream = 3;

    private readonly ulong _seed;
    private readonly StoryWriter _writer = new();
    private readonly StoryGrammar _grammar;

    /// <summary>A generator; it is not safe for use by several threads at once (make one for each).</summary>
    /// <param name="seed">Chooses the documents. The held-out pairs are the same for every seed.</param>
    public StoryGenerator(ulong seed = 0)
    {
        _seed = seed;
        _grammar = new StoryGrammar(_writer);
    }

    /// <summary>Training document <paramref name="index"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is negative.</exception>
    public StoryDocument Training(long index) => Draw(TrainingStream, index, static w => !w.StatesHeldOut);

    /// <summary>Held-out document <paramref name="index"/>: at least one of its questions asks about a pair that training never shows.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is negative.</exception>
    public StoryDocument HeldOut(long index) => Draw(HeldOutStream, index, static w => w.Questions.Any(q => q.IsHeldOut));

    /// <summary>Document <paramref name="index"/> of the grammar itself, without a condition.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is negative.</exception>
    public StoryDocument Unconditioned(long index) => Draw(UnconditionedStream, index, static _ => true);

    /// <summary>Training documents 0, 1, 2... until their texts hold at least <paramref name="characters"/> characters (= UTF-8 bytes).</summary>
    public IEnumerable<StoryDocument> TrainingCorpus(long characters)
    {
        long written = 0;
        for (long i = 0; written < characters; i++)
        {
            StoryDocument document = Training(i);
            written += document.Text.Length;
            yield return document;
        }
    }

    /// <summary>Held-out documents 0 to <paramref name="count"/> - 1.</summary>
    public IEnumerable<StoryDocument> HeldOutCorpus(int count)
    {
        for (int i = 0; i < count; i++)
        {
            yield return HeldOut(i);
        }
    }

    /// <summary>The share of unconditioned documents that could be training documents, and held-out documents.</summary>
    public (double Training, double HeldOut) AcceptanceRates(int samples)
    {
        int training = 0, heldOut = 0;
        for (int i = 0; i < samples; i++)
        {
            Unconditioned(i);
            training += _writer.StatesHeldOut ? 0 : 1;
            heldOut += _writer.Questions.Any(q => q.IsHeldOut) ? 1 : 0;
        }
        return (training / (double)samples, heldOut / (double)samples);
    }

    private StoryDocument Draw(uint stream, long index, Func<StoryWriter, bool> accept)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        _writer.Reset(new CounterRandom(_seed, stream, (ulong)index));
        do
        {
            _writer.Clear();
            _grammar.Write();
        }
        while (!accept(_writer));
        return new StoryDocument(_writer.Text.ToString(), _writer.Nll, [.. _writer.Questions]);
    }
}
