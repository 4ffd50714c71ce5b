namespace Banyan.Data.Tests.Corpora;

internal static class RandomDocuments
{
    /// <summary>0 to <paramref name="most"/> documents of 0 to <paramref name="longest"/> ids below the vocabulary size.</summary>
    public static int[][] Draw(ulong seed, int vocabularySize, int most = 9, int longest = 12)
    {
        var random = new CounterRandom(seed);
        int[][] documents = new int[random.NextInt(most + 1)][];
        for (int d = 0; d < documents.Length; d++)
        {
            documents[d] = new int[random.NextInt(longest + 1)];
            for (int i = 0; i < documents[d].Length; i++)
            {
                documents[d][i] = random.NextInt(vocabularySize);
            }
        }
        return documents;
    }

    public static IEnumerable<ReadOnlyMemory<int>> AsMemory(this IEnumerable<int[]> documents) => documents.Select(d => (ReadOnlyMemory<int>)d);
}
