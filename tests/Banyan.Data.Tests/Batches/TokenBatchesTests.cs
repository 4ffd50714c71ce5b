using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Data.Shards;

namespace Banyan.Data.Tests.Batches;

public class TokenBatchesTests
{
    /// <summary>The three ways to cut a corpus.</summary>
    public static TheoryData<string> Sources => [nameof(RandomBlocks), nameof(StreamBlocks), nameof(PackedDocuments)];

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_restart_gives_the_same_batches(string source)
    {
        var run = new TokenBatches(Source(source), 7, 4, 2);
        string[] walked = [.. Enumerable.Range(0, 60).Select(i => Show(run.Get(i / 2, i % 2)))];
        var restarted = new TokenBatches(Source(source), 7, 4, 2);
        for (int i = 59; i >= 0; i -= 7)
        {
            Assert.Equal(walked[i], Show(restarted.Get(i / 2, i % 2)));
        }
        Assert.Equal(60, walked.Distinct().Count());
        Assert.NotEqual(walked[0], Show(new TokenBatches(Source(source), 8, 4, 2).Get(0)));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_step_holds_the_same_samples_however_it_is_divided(string source)
    {
        TrainingBatch whole = new TokenBatches(Source(source), 7, 6).Get(5);
        var halves = new TokenBatches(Source(source), 7, 3, 2);
        Assert.Equal(whole.InputIds, halves.Get(5, 0).InputIds.Concat(halves.Get(5, 1).InputIds));
        Assert.Equal(whole.Targets, halves.Get(5, 0).Targets.Concat(halves.Get(5, 1).Targets));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Prefetching_changes_nothing(string source)
    {
        var batches = new TokenBatches(Source(source), 7, 4, 3);
        using BatchPrefetcher prefetcher = batches.Prefetch(step: 10, depth: 3);
        var buffers = new HashSet<TrainingBatch>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < 100; i++)
        {
            TrainingBatch batch = prefetcher.Next();
            Assert.Equal((10 + (i / 3), i % 3), (batch.Step, batch.MicroBatch));
            Assert.Equal(Show(batches.Get(10 + (i / 3), i % 3)), Show(batch));
            buffers.Add(batch);
        }
        Assert.Equal(4, buffers.Count); // buffers go round
    }

    [Fact]
    public void A_cancelled_wait_loses_no_batch()
    {
        var corpus = new GatedCorpus();
        using BatchPrefetcher prefetcher = new TokenBatches(new RandomBlocks(corpus, 4), 1, 1).Prefetch();
        using var cancel = new CancellationTokenSource(50);
        Assert.ThrowsAny<OperationCanceledException>(() => prefetcher.Next(cancel.Token));
        corpus.Gate.Set();
        Assert.Equal(0, prefetcher.Next().Step);
        Assert.Equal(1, prefetcher.Next().Step);
        Assert.ThrowsAny<OperationCanceledException>(() => prefetcher.Next(cancel.Token));
        Assert.Equal(2, prefetcher.Next().Step);
    }

    [Fact]
    public void A_failure_on_the_thread_reaches_the_consumer_behind_the_good_batches()
    {
        var corpus = new GatedCorpus { ReadsUntilFailure = 5 }; // a block reads twice: two batches are good
        corpus.Gate.Set();
        using BatchPrefetcher prefetcher = new TokenBatches(new RandomBlocks(corpus, 4), 1, 1).Prefetch();
        Assert.Equal(0, prefetcher.Next().Step);
        Assert.Equal(1, prefetcher.Next().Step);
        Assert.Contains("disk on fire", Assert.Throws<IOException>(() => prefetcher.Next()).Message);
        Assert.Throws<IOException>(() => prefetcher.Next());
    }

    [Fact]
    public void Disposal_ends_a_thread_that_waits()
    {
        BatchPrefetcher prefetcher = new TokenBatches(Source(nameof(RandomBlocks)), 1, 2).Prefetch(depth: 1);
        prefetcher.Next();
        prefetcher.Dispose();
        prefetcher.Dispose();
        Assert.Throws<ObjectDisposedException>(() => prefetcher.Next());
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_batch_from_a_shard_allocates_nothing(string source)
    {
        using var folder = new TemporaryFolder();
        using (var writer = new ShardWriter(folder["a.tokens"], 1000))
        {
            Documents().ToList().ForEach(d => writer.Add(d.Span));
            writer.Complete();
        }
        using TokenShard shard = TokenShard.Open(folder["a.tokens"]);
        var batches = new TokenBatches(Source(source, shard), 7, 4);
        TrainingBatch batch = batches.Allocate();
        batches.Fill(batch, 0, 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 20; step++) // within one epoch: a packing plan is made per epoch
        {
            batches.Fill(batch, step, 0);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Arguments_are_checked()
    {
        var batches = new TokenBatches(Source(nameof(RandomBlocks)), 1, 2, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Get(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Get(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prefetch(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Prefetch(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenBatches(Source(nameof(RandomBlocks)), 1, 0));
        Assert.Throws<OverflowException>(() => batches.Get(long.MaxValue / 2));
    }

    private static IEnumerable<ReadOnlyMemory<int>> Documents() =>
        Enumerable.Range(0, 400).Select(d => (ReadOnlyMemory<int>)Enumerable.Range(d, 3 + (d * 7 % 17)).ToArray());

    private static SequenceSource Source(string name, TokenCorpus? corpus = null)
    {
        corpus ??= TokenCorpus.From(Documents());
        return name switch
        {
            nameof(RandomBlocks) => new RandomBlocks(corpus, 16),
            nameof(StreamBlocks) => new StreamBlocks(corpus, 16),
            _ => new PackedDocuments(corpus, 16),
        };
    }

    private static string Show(TrainingBatch b) =>
        string.Join(' ', b.InputIds) + '|' + string.Join(' ', b.Targets) + '|' + string.Join(' ', b.Positions) + '|' + string.Join(' ', b.DocumentIds);

    private sealed class GatedCorpus : TokenCorpus
    {
        public ManualResetEventSlim Gate { get; } = new();

        public int ReadsUntilFailure { get; set; } = int.MaxValue;

        public override long TokenCount => 100;

        public override long DocumentCount => 1;

        public override long DocumentStart(long document) => document * 100;

        public override void Read(long start, Span<int> tokens)
        {
            Gate.Wait();
            if (--ReadsUntilFailure <= 0)
            {
                throw new IOException("disk on fire");
            }
        }
    }
}
