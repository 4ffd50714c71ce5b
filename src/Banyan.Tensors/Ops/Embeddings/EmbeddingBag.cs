namespace Banyan;

/// <summary>How <see cref="Tensor.EmbeddingBag"/> combines the rows of a bag.</summary>
public enum EmbeddingBagMode
{
    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The largest element of each column.</summary>
    Max,
}

public sealed partial class Tensor
{
    /// <summary>The rows of this table (V, C) that each bag of ids names, combined: (bags, C). An empty bag gives zeros.</summary>
    /// <param name="ids">(bags, n); or, with <paramref name="offsets"/>, all bags one after another in one dimension.</param>
    /// <param name="offsets">Where each bag begins in the ids (ascending, the first at 0).</param>
    /// <param name="mode">How the rows of a bag are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not a row.</exception>
    public Tensor EmbeddingBag(Tensor ids, Tensor? offsets = null, EmbeddingBagMode mode = EmbeddingBagMode.Mean)
    {
        if (offsets is null ? ids.Rank != 2 : ids.Rank != 1)
        {
            throw new ArgumentException($"embedding_bag: ids need two dimensions, or one when offsets are given; they are {ids.Shape}");
        }
        Tensor rows = Embedding(ids);
        if (offsets is null)
        {
            return mode switch
            {
                EmbeddingBagMode.Sum => rows.Sum(1),
                EmbeddingBagMode.Mean => rows.Mean(1),
                _ => rows.Max(1).Values,
            };
        }
        Tensor bag = offsets.SearchSorted(Arange(ids.Count), right: true) - Arange(1).Number(1);
        ScatterReduction reduction = mode switch
        {
            EmbeddingBagMode.Sum => ScatterReduction.Sum,
            EmbeddingBagMode.Mean => ScatterReduction.Mean,
            _ => ScatterReduction.AMax,
        };
        Tensor none = Allocate(rows, [offsets.Count, Shape[1]]).Filled(0);
        return none.ScatterReduce(0, bag.Along(0, none.Shape), rows, reduction, includeSelf: false);
    }
}
