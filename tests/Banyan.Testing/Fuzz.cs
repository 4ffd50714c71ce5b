using System.Diagnostics;
using Xunit;

namespace Banyan.Testing;

/// <summary>Feeds a reader with damaged files: it must read them or throw its documented error, soon and in bounded memory.</summary>
public static class Fuzz
{
    /// <summary>Mutants of the fast suite.</summary>
    public const int Few = 2_000;

    /// <summary>Mutants of the slow suite.</summary>
    public const int Many = 100_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30); // for one file, on a busy machine

    /// <summary>Runs the reader over mutants of the samples.</summary>
    /// <param name="samples">Good files.</param>
    /// <param name="count">Number of mutants.</param>
    /// <param name="maxBytes">Memory that one file may make the reader allocate.</param>
    /// <param name="read">The reader; what it returns does not matter.</param>
    /// <param name="isDocumented">Whether an error is one that the reader's documentation names.</param>
    public static void Run(IReadOnlyList<byte[]> samples, int count, long maxBytes, Action<byte[]> read, Func<Exception, bool> isDocumented)
    {
        byte[] current = [];
        long begun = Stopwatch.GetTimestamp();
        Task work = Task.Factory.StartNew(() => All(samples, count, maxBytes, read, isDocumented, file =>
        {
            Volatile.Write(ref begun, Stopwatch.GetTimestamp());
            Volatile.Write(ref current, file);
        }), TaskCreationOptions.LongRunning);
        while (!work.Wait(TimeSpan.FromMilliseconds(500)))
        {
            Assert.True(Stopwatch.GetElapsedTime(Volatile.Read(ref begun)) < s_patience, "hangs on " + Convert.ToBase64String(Volatile.Read(ref current)));
        }
    }

    private static void All(
        IReadOnlyList<byte[]> samples, int count, long maxBytes, Action<byte[]> read, Func<Exception, bool> isDocumented, Action<byte[]> begin)
    {
        Mutator mutator = new(1);
        int refused = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] file = mutator.Mutate(samples[i % samples.Count]);
            begin(file);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? error = Record.Exception(() => read(file));
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(error is null || isDocumented(error), $"mutant {i} {Convert.ToBase64String(file)}: {error}");
            Assert.True(allocated <= maxBytes, $"mutant {i} made the reader allocate {allocated} bytes: {Convert.ToBase64String(file)}");
            refused += error is null ? 0 : 1;
        }
        Assert.InRange(refused, count / 20, count); // the damages do something
    }
}
