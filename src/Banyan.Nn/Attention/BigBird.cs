namespace Banyan.Nn;

/// <summary>
/// The block-sparse pattern of Zaheer et al. 2020, "Big Bird: Transformers for Longer Sequences" (arXiv:2007.14062): each block of queries sees its
/// neighbours, the first and the last block, which see everything themselves, and some random blocks.
/// </summary>
public static class BigBird
{
    /// <summary>The mask for <see cref="AttentionOptions.Mask"/>: (T, T), true = the query of the row sees the key of the column.</summary>
    /// <param name="length">T, a multiple of the block.</param>
    /// <param name="block">Tokens of a block.</param>
    /// <param name="randomBlocks">For each block of queries the further blocks of keys that it sees: see <see cref="RandomBlocks"/>.</param>
    /// <exception cref="ArgumentException">The length is no multiple of the block, or the random blocks are for another number of blocks.</exception>
    public static Tensor Mask(int length, int block, int[][] randomBlocks)
    {
        if (block < 1 || length < 1 || length % block != 0 || randomBlocks.Length != length / block)
        {
            throw new ArgumentException($"BigBird: {length} tokens in blocks of {block} need a whole number of blocks and random blocks for each; {randomBlocks.Length} rows are given");
        }
        int blocks = length / block;
        var mask = new bool[checked(length * length)];
        for (int at = 0; at < mask.Length; at++)
        {
            int i = at / length / block, j = at % length / block;
            mask[at] = IsFixed(i, j, blocks) || randomBlocks[i].Contains(j);
        }
        return Tensor.From(mask, [length, length]);
    }

    /// <summary>Draws for each block of queries up to <paramref name="count"/> blocks of keys that it does not see already.</summary>
    public static int[][] RandomBlocks(int blocks, int count, ulong seed)
    {
        var rows = new int[blocks][];
        for (int i = 0; i < blocks; i++)
        {
            List<int> unseen = [.. Enumerable.Range(0, blocks).Where(j => !IsFixed(i, j, blocks))];
            var random = new CounterRandom(seed, sample: (ulong)i);
            var row = new int[Math.Min(count, unseen.Count)];
            for (int n = 0; n < row.Length; n++)
            {
                int chosen = random.NextInt(unseen.Count);
                row[n] = unseen[chosen];
                unseen.RemoveAt(chosen);
            }
            rows[i] = row;
        }
        return rows;
    }

    // The window of three blocks and the global blocks.
    private static bool IsFixed(int i, int j, int blocks) => Math.Abs(i - j) <= 1 || i == 0 || j == 0 || i == blocks - 1 || j == blocks - 1;
}
