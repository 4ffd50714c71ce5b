using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>One promise, checked on this machine.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Pass">Whether it holds.</param>
/// <param name="Detail">What was compared, or where it differs.</param>
public sealed record VerificationCheck(string Name, bool Pass, string Detail);

/// <summary>
/// Checks the promise of reproducibility with a model of one's own: the same bits for any number of threads, alone or in a batch, with a cache or
/// without, before and after saving.
/// </summary>
public static class ModelVerification
{
    private const int Length = 48;

    /// <summary>Runs every check.</summary>
    /// <param name="path">A model folder or file.</param>
    /// <param name="cancellationToken">Stops between checks.</param>
    public static IEnumerable<VerificationCheck> Run(string path, CancellationToken cancellationToken = default)
    {
        LanguageModel lm = LanguageModel.Load(path);
        long[] ids = Ids(lm.Model);
        float[] reference = Logits(lm.Model, ids, ComputePool.Shared);
        bool finite = reference.All(float.IsFinite);
        yield return new("finite", finite, finite ? $"{reference.Length:N0} logits of {ids.Length} tokens" : lm.NotFinite().Message);
        if (!finite)
        {
            yield break; // NaN equals nothing: every other check would say the same
        }
        foreach (int threads in new[] { 1, 2, 3, 4, 7 })
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var pool = new ComputePool(threads);
            yield return Equal($"threads {threads}", reference, Logits(lm.Model, ids, pool), "the logits of the shared pool");
        }
        yield return Equal("cached = full", reference, Cached(lm.Model, ids), "one token at a time beside one pass");
        yield return Equal("batch invariance", Last(reference, lm.Model.VocabularySize), InBatch(lm.Model, ids), "alone beside a batch of four");
        cancellationToken.ThrowIfCancellationRequested();
        yield return SaveAndLoad(lm, path, ids, reference);
        yield return Generation(lm, ids);
    }

    private static long[] Ids(CausalLanguageModel model)
    {
        var random = new CounterRandom(7, 7);
        return [.. Enumerable.Range(0, Math.Min(Length, model.MaxPositions)).Select(_ => (long)random.NextInt(model.VocabularySize))];
    }

    private static float[] Logits(CausalLanguageModel model, long[] ids, ComputePool pool)
    {
        using var session = new DecodingSession(model, pool);
        var all = new float[ids.Length * model.VocabularySize];
        session.Each(ids, new SequenceCache(), (i, row) => row.CopyTo(all, i * row.Length));
        return all;
    }

    private static float[] Cached(CausalLanguageModel model, long[] ids)
    {
        using var session = new DecodingSession(model);
        var cache = new SequenceCache();
        var all = new float[ids.Length * model.VocabularySize];
        for (int i = 0; i < ids.Length; i++)
        {
            session.Last(ids.AsSpan(i, 1), [1], [cache], all.AsSpan(i * model.VocabularySize, model.VocabularySize));
        }
        return all;
    }

    private static float[] InBatch(CausalLanguageModel model, long[] ids)
    {
        using var session = new DecodingSession(model);
        int[] lengths = [Math.Max(1, ids.Length / 3), ids.Length, 1, Math.Max(1, ids.Length / 2)];
        long[] together = [.. lengths.SelectMany(n => ids.Take(n))];
        var last = new float[lengths.Length * model.VocabularySize];
        session.Last(together, lengths, [.. lengths.Select(_ => new SequenceCache())], last);
        return last[model.VocabularySize..(2 * model.VocabularySize)];
    }

    // Folders hold blocks as the numbers that they stand for: then those numbers are what both must compute with.
    private static VerificationCheck SaveAndLoad(LanguageModel lm, string path, long[] ids, float[] reference)
    {
        bool inBlocks = lm.Model.NamedParameters().Any(p => p.Parameter.Value.DType.Format is not null);
        float[] expected = inBlocks ? Logits(LanguageModel.Load(path, precision: WeightPrecision.Float32).Model, ids, ComputePool.Shared) : reference;
        string folder = Path.Combine(Path.GetTempPath(), $"banyan-verify-{Guid.NewGuid():N}");
        try
        {
            lm.Model.Save(folder);
            return Equal("save and load", expected, Logits(LanguageModel.Load(folder).Model, ids, ComputePool.Shared), "the logits of a saved copy");
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static VerificationCheck Generation(LanguageModel lm, long[] ids)
    {
        int[] prompt = [.. ids.Take(ids.Length / 2).Select(i => (int)i)];
        var options = new GenerationOptions { MaxNewTokens = 16, Seed = 3, IgnoreEnd = true };
        using var one = new ComputePool(1);
        int[] alone = [.. lm.Generate([prompt], options, pool: one)[0].Ids], together = [.. lm.Generate([prompt[..2], prompt], options)[1].Ids];
        return new("generation", alone.SequenceEqual(together), $"the same seed alone with one thread and in a batch: [{string.Join(", ", alone)}]");
    }

    private static float[] Last(float[] logits, int vocabulary) => logits[^vocabulary..];

    private static VerificationCheck Equal(string name, float[] expected, float[] actual, string detail)
    {
        int at = expected.AsSpan().CommonPrefixLength(actual);
        return at == expected.Length && at == actual.Length ? new(name, true, detail)
            : new(name, false, FormattableString.Invariant($"{detail}: element {at} is {actual[at]:R}, expected {expected[at]:R}"));
    }
}
