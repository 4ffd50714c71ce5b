using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.Batches;

/// <summary>Token k of these corpora has the id k, so that a batch shows where everything came from.</summary>
public class SequenceSourceTests
{
    [Property]
    public void Random_blocks_are_stretches_of_the_corpus(ulong seed, ushort step)
    {
        TokenCorpus corpus = Numbered(seed, atLeast: 20);
        TrainingBatch batch = new TokenBatches(new RandomBlocks(corpus, 7), seed, 3).Get(step);
        for (int i = 0; i < batch.InputIds.Length; i++)
        {
            Assert.Equal(batch.InputIds[i] + 1, batch.Targets[i]);
            Assert.Equal(batch.InputIds[i - (i % 7)] + (i % 7), batch.InputIds[i]);
            Assert.Equal((i % 7, i / 7), (batch.Positions[i], batch.DocumentIds[i]));
        }
        Assert.Equal(21, batch.TargetCount);
    }

    [Fact]
    public void Random_blocks_start_everywhere_equally()
    {
        var batches = new TokenBatches(new RandomBlocks(TokenCorpus.From([Enumerable.Range(0, 15).ToArray()]), 5), 1, 1);
        int[] counts = new int[10];
        for (int step = 0; step < 5000; step++)
        {
            counts[batches.Get(step).InputIds[0]]++;
        }
        Assert.InRange(counts.Sum(c => (c - 500.0) * (c - 500.0) / 500), 1, 33); // chi squared, 9 degrees of freedom
    }

    [Property]
    public void Blocks_in_order_hold_every_pair_once(ulong seed, byte length)
    {
        TokenCorpus corpus = Numbered(seed, atLeast: 1);
        var source = new StreamBlocks(corpus, 1 + (length % 9), shuffle: false);
        TrainingBatch[] epoch = Epoch(source, seed, 0);
        Assert.Equal(Pairs(corpus), epoch.SelectMany(Pairs));
        Assert.Equal(Enumerable.Range(0, (int)corpus.TokenCount), Inputs(epoch, source.Length).Take((int)corpus.TokenCount));
        foreach (TrainingBatch batch in epoch)
        {
            CheckRows(corpus, batch);
        }
    }

    [Property]
    public void Shuffled_blocks_hold_pairs_at_most_once_and_cut_elsewhere_each_epoch(ulong seed)
    {
        TokenCorpus corpus = Numbered(seed, atLeast: 60);
        var source = new StreamBlocks(corpus, 6);
        TrainingBatch[] first = Epoch(source, seed, 0), second = Epoch(source, seed, 1);
        foreach (TrainingBatch[] epoch in (TrainingBatch[][])[first, second])
        {
            int[] inputs = [.. Inputs(epoch, 6)];
            Assert.Equal(inputs.Length, inputs.Distinct().Count());
            Assert.InRange(inputs.Length, corpus.TokenCount - 12, corpus.TokenCount);
            Assert.All(epoch, b => CheckRows(corpus, b));
            Assert.Subset(Pairs(corpus).ToHashSet(), epoch.SelectMany(Pairs).ToHashSet());
        }
        Assert.NotEqual(Inputs(first, 6), Inputs(second, 6));
    }

    [Property]
    public void Packing_holds_every_pair_once_in_every_epoch(ulong seed, byte length)
    {
        TokenCorpus corpus = Numbered(seed, atLeast: 2);
        if (!Pairs(corpus).Any())
        {
            Assert.Contains("at least two tokens", Assert.Throws<ArgumentException>(() => new PackedDocuments(corpus, 4)).Message);
            return;
        }
        var source = new PackedDocuments(corpus, 1 + (length % 20));
        for (int e = 0; e < 3; e++)
        {
            TrainingBatch[] epoch = Epoch(source, seed, e);
            Assert.Equal(Pairs(corpus), epoch.SelectMany(Pairs).Order());
            Assert.All(epoch, b => CheckRows(corpus, b));
            Assert.All(epoch, b => CheckUncut(corpus, b));
        }
        Assert.Equal(source.Utilization, Pairs(corpus).Count() / ((double)source.SequencesPerEpoch * source.Length), 1e-12);
    }

    [Fact]
    public void Packing_fits_what_can_be_fitted()
    {
        // Lengths 6, 5, 4, 3, 2 (and one target each) fill two sequences of 10 exactly.
        int[][] documents = [.. new[] { 3, 5, 4, 6, 2 }.Select(n => new int[n + 1])];
        var source = new PackedDocuments(TokenCorpus.From(documents.Select(d => (ReadOnlyMemory<int>)d)), 10);
        Assert.Equal((2, 1.0), (source.SequencesPerEpoch, source.Utilization));
    }

    [Fact]
    public void Packing_joins_other_documents_in_other_epochs()
    {
        TokenCorpus corpus = TokenCorpus.From(Enumerable.Range(0, 100).Select(d => (ReadOnlyMemory<int>)Enumerable.Range(d * 5, 5).ToArray()));
        var source = new PackedDocuments(corpus, 12);
        int[][] Neighbours(int epoch) => [.. Epoch(source, 9, epoch).Select(b => b.InputIds.Where((_, i) => b.Positions[i] == 0).Order().ToArray())];
        Assert.Equal(Neighbours(0), Neighbours(0));
        HashSet<string> first = [.. Neighbours(0).Select(n => string.Join(' ', n))];
        Assert.InRange(Neighbours(1).Count(n => first.Contains(string.Join(' ', n))), 0, 5);
    }

    [Fact]
    public void Corpora_that_are_too_short_are_refused()
    {
        TokenCorpus corpus = TokenCorpus.From([new int[5]]);
        Assert.Contains("5 tokens is too short", Assert.Throws<ArgumentException>(() => new RandomBlocks(corpus, 5)).Message);
        Assert.Contains("5 tokens is too short", Assert.Throws<ArgumentException>(() => new StreamBlocks(corpus, 3)).Message);
        Assert.Throws<ArgumentException>(() => new StreamBlocks(corpus.Slice(1, 1), 3, shuffle: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomBlocks(corpus, 0));
    }

    private static TokenCorpus Numbered(ulong seed, int atLeast)
    {
        var random = new CounterRandom(seed);
        var documents = new List<ReadOnlyMemory<int>>();
        int next = 0;
        do
        {
            int length = random.NextInt(14); // also empty ones
            documents.Add(Enumerable.Range(next, length).ToArray());
            next += length;
        }
        while (next < atLeast || random.NextInt(4) > 0);
        return TokenCorpus.From(documents);
    }

    private static TrainingBatch[] Epoch(SequenceSource source, ulong seed, int epoch)
    {
        var batches = new TokenBatches(source, seed, 1);
        return [.. Enumerable.Range(0, (int)source.SequencesPerEpoch).Select(i => batches.Get((epoch * source.SequencesPerEpoch) + i))];
    }

    private static IEnumerable<int> Inputs(TrainingBatch[] epoch, int length) => epoch.SelectMany(b => Enumerable.Range(0, length).Select(i => b.InputIds[i]));

    // Token ids that have a successor in their document.
    private static IEnumerable<int> Pairs(TokenCorpus corpus) => corpus.Documents().SelectMany(d => d.ToArray().SkipLast(1));

    private static IEnumerable<int> Pairs(TrainingBatch batch)
    {
        for (int i = 0; i < batch.InputIds.Length; i++)
        {
            if (batch.Targets[i] != TrainingBatch.IgnoreIndex)
            {
                Assert.Equal(batch.InputIds[i] + 1, batch.Targets[i]);
                yield return batch.InputIds[i];
            }
        }
    }

    // Numbers rise, positions restart with each, and one number holds neighbouring tokens of one document.
    private static void CheckRows(TokenCorpus corpus, TrainingBatch batch)
    {
        Assert.Equal(batch.Targets.Count(t => t != TrainingBatch.IgnoreIndex), batch.TargetCount);
        for (int i = 0; i < batch.InputIds.Length; i++)
        {
            bool starts = i == 0 || batch.DocumentIds[i] != batch.DocumentIds[i - 1];
            Assert.Equal(starts ? 0 : batch.Positions[i - 1] + 1, batch.Positions[i]);
            Assert.True(i == 0 || batch.DocumentIds[i] >= batch.DocumentIds[i - 1]);
            if (!starts && batch.Targets[i] != TrainingBatch.IgnoreIndex)
            {
                Assert.Equal(batch.InputIds[i - 1] + 1, batch.InputIds[i]);
                Assert.Equal(corpus.DocumentAt(batch.InputIds[i - 1]), corpus.DocumentAt(batch.InputIds[i]));
            }
        }
    }

    // A stretch begins where its document begins, or a whole number of sequence lengths behind it.
    private static void CheckUncut(TokenCorpus corpus, TrainingBatch batch)
    {
        for (int i = 0; i < batch.InputIds.Length; i++)
        {
            if (batch.Positions[i] == 0 && batch.Targets[i] != TrainingBatch.IgnoreIndex)
            {
                Assert.Equal(0, (batch.InputIds[i] - corpus.DocumentStart(corpus.DocumentAt(batch.InputIds[i]))) % batch.Length);
            }
        }
    }
}
