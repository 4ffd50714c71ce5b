using Banyan.Data.NGrams;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.NGrams;

public class NGramModelTests
{
    private const int Vocabulary = 7;
    private const int End = 6;

    [Property]
    public void Probabilities_sum_to_one(ulong seed, byte contextA, byte contextB)
    {
        ReadOnlyMemory<int>[] corpus = Random(seed);
        int[] context = [contextA % 9, contextB % 9]; // 7 and 8: never seen
        NGramModel[] models =
        [
            KneserNeyModel.TrainModified(corpus, Vocabulary, End), KneserNeyModel.TrainModified(corpus, Vocabulary, End, order: 1),
            KneserNeyModel.Train(corpus, Vocabulary, End, order: 2), new LaplaceModel(corpus, Vocabulary, End, order: 3),
        ];
        foreach (NGramModel model in models)
        {
            Assert.Equal(1, Enumerable.Range(0, Vocabulary).Sum(t => model.Probability(context, t)), 1e-9);
        }
    }

    [Property]
    public void The_document_cost_is_the_sum_over_its_predictions(ulong seed)
    {
        ReadOnlyMemory<int>[] corpus = Random(seed);
        NGramModel model = KneserNeyModel.TrainModified(corpus, Vocabulary, End);
        int[] document = corpus[0].ToArray();
        double sum = 0;
        for (int i = 0; i <= document.Length; i++)
        {
            sum -= Math.Log(model.Probability(document.AsSpan(0, i), i < document.Length ? document[i] : End));
        }
        Assert.Equal(sum, model.Nll(document), 1e-9);
    }

    [Fact]
    public void A_unigram_without_discount_is_the_relative_frequency()
    {
        ReadOnlyMemory<int>[] corpus = [new[] { 0, 0, 1 }, new[] { 0 }];
        NGramModel model = KneserNeyModel.Train(corpus, Vocabulary, End, order: 1, discount: 0);
        Assert.Equal(3.0 / 6, model.Probability([], 0), 1e-12);
        Assert.Equal(2.0 / 6, model.Probability([3, 4], End), 1e-12);
    }

    [Fact]
    public void Bad_input_is_refused_by_name()
    {
        Assert.Contains("outside the vocabulary of 7", Assert.Throws<ArgumentOutOfRangeException>(
            () => KneserNeyModel.TrainModified([new[] { 0, 7 }], Vocabulary, End)).Message);
        Assert.Contains("at least one training document", Assert.Throws<ArgumentException>(
            () => KneserNeyModel.TrainModified([], Vocabulary, End)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNeyModel.TrainModified([new[] { 0 }], Vocabulary, 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNeyModel.TrainModified([new[] { 0 }], 1 << 21, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNeyModel.Train([new[] { 0 }], Vocabulary, End, discount: 1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNeyModel.Train([new[] { 0 }], Vocabulary, End, order: 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LaplaceModel([new[] { 0 }], Vocabulary, End).Probability([], -1));
    }

    private static ReadOnlyMemory<int>[] Random(ulong seed)
    {
        var random = new CounterRandom(seed);
        var documents = new ReadOnlyMemory<int>[1 + random.NextInt(6)];
        for (int d = 0; d < documents.Length; d++)
        {
            int[] ids = new int[random.NextInt(12)];
            for (int i = 0; i < ids.Length; i++)
            {
                ids[i] = random.NextInt(Vocabulary - 1);
            }
            documents[d] = ids;
        }
        return documents;
    }
}
