using Banyan.Data.Corpora;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.Corpora;

public class TokenCorpusTests
{
    [Property]
    public void Documents_come_back(ulong seed)
    {
        int[][] documents = RandomDocuments.Draw(seed, 100);
        Same(documents, TokenCorpus.From(documents.AsMemory()));
    }

    [Property]
    public void Parts_read_as_one(ulong a, ulong b, ulong c)
    {
        int[][][] parts = [RandomDocuments.Draw(a, 100, 3), RandomDocuments.Draw(b, 100, 3), RandomDocuments.Draw(c, 100, 3)];
        Same([.. parts.SelectMany(p => p)], TokenCorpus.Concat([.. parts.Select(p => TokenCorpus.From(p.AsMemory()))]));
    }

    [Property]
    public void A_selection_holds_the_documents_in_its_order(ulong seed)
    {
        int[][] documents = RandomDocuments.Draw(seed, 100);
        long[] order = [.. Enumerable.Range(0, documents.Length).Where(i => i % 3 != 1).Reverse().Select(i => (long)i)];
        Same([.. order.Select(i => documents[i])], TokenCorpus.From(documents.AsMemory()).Select(order));
    }

    [Property]
    public void A_slice_cuts_the_documents_at_its_edges(ulong seed, ushort x, ushort y)
    {
        int[][] documents = RandomDocuments.Draw(seed, 100);
        int[] all = [.. documents.SelectMany(d => d)];
        int start = Math.Min(x % (all.Length + 1), y % (all.Length + 1)), end = Math.Max(x % (all.Length + 1), y % (all.Length + 1));
        TokenCorpus slice = TokenCorpus.From(documents.AsMemory()).Slice(start, end);
        int[] owners = [.. documents.SelectMany((d, i) => Enumerable.Repeat(i, d.Length))];
        int[][] expected = [.. Enumerable.Range(start, end - start).GroupBy(t => owners[t]).Select(g => g.Select(t => all[t]).ToArray())];
        Assert.Equal(expected, slice.Documents().Select(d => d.ToArray()).Where(d => d.Length > 0));
        Assert.Equal(all[start..end], Read(slice));
    }

    [Property]
    public void A_token_belongs_to_the_document_that_covers_it(ulong seed)
    {
        TokenCorpus corpus = TokenCorpus.From(RandomDocuments.Draw(seed, 100).AsMemory());
        for (long t = 0; t < corpus.TokenCount; t++)
        {
            long document = corpus.DocumentAt(t);
            Assert.InRange(t, corpus.DocumentStart(document), corpus.DocumentStart(document + 1) - 1);
        }
    }

    [Property]
    public void Splits_divide_everything_once(ulong seed)
    {
        int[][] documents = RandomDocuments.Draw(seed, 100, most: 30);
        TokenCorpus corpus = TokenCorpus.From(documents.AsMemory());
        (TokenCorpus training, TokenCorpus heldOut) = corpus.SplitByPosition(0.9);
        Assert.Equal((long)(0.9 * corpus.TokenCount), training.TokenCount);
        Assert.Equal(Read(corpus), Read(training).Concat(Read(heldOut)));
        (training, heldOut) = corpus.SplitByDocument(0.7, seed);
        Assert.Equal(corpus.DocumentCount, training.DocumentCount + heldOut.DocumentCount);
        Assert.Equal(Read(corpus).Order(), Read(training).Concat(Read(heldOut)).Order());
    }

    [Fact]
    public void A_document_keeps_its_side_when_others_are_appended()
    {
        int[][] documents = [.. Enumerable.Range(0, 1000).Select(i => new[] { i })];
        TokenCorpus few = TokenCorpus.From(documents[..500].AsMemory()), all = TokenCorpus.From(documents.AsMemory());
        int[] training = Read(all.SplitByDocument(0.8, 1).Training);
        Assert.Equal(Read(few.SplitByDocument(0.8, 1).Training), training.Where(t => t < 500));
        Assert.InRange(training.Length, 750, 850);
        Assert.NotEqual(training, Read(all.SplitByDocument(0.8, 2).Training));
    }

    [Fact]
    public void Ranges_are_checked()
    {
        TokenCorpus corpus = TokenCorpus.From([new[] { 1, 2, 3 }]);
        Assert.Contains("[2, 4) lie outside a corpus of 3", Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Read(2, new int[2])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Read(-1, new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Read(long.MaxValue, new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.DocumentStart(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.DocumentStart(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Document(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.DocumentAt(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Slice(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Slice(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Select([1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.SplitByPosition(double.NaN));
        Assert.Throws<ArgumentException>(() => TokenCorpus.Concat([]));
    }

    private static int[] Read(TokenCorpus corpus)
    {
        int[] tokens = new int[corpus.TokenCount];
        corpus.Read(0, tokens);
        return tokens;
    }

    private static void Same(int[][] documents, TokenCorpus corpus)
    {
        Assert.Equal(documents, corpus.Documents().Select(d => d.ToArray()));
        int[] all = [.. documents.SelectMany(d => d)];
        Assert.Equal(all.Length, corpus.TokenCount);
        for (int start = 0; start <= all.Length; start++)
        {
            int[] tokens = new int[(all.Length - start) / 2];
            corpus.Read(start, tokens);
            Assert.Equal(all[start..(start + tokens.Length)], tokens);
        }
    }
}
