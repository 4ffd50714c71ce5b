using System.Runtime.CompilerServices;
using Banyan.Cpu;

namespace Banyan;

/// <summary>A piece of parallel work: <see cref="Run"/> computes the items <c>[begin, end)</c>, each wholly by itself.</summary>
public interface IParallelBody
{
    /// <summary>Computes the items from <paramref name="begin"/> up to, not including, <paramref name="end"/>.</summary>
    void Run(long begin, long end);
}

/// <summary>
/// A persistent pool of threads that spin for a moment, then park. Work is cut into fixed pieces of <c>grain</c> items that the threads
/// claim in turn; since every item is computed by one thread in one order, the results have the same bits for any number of threads.
/// </summary>
/// <remarks>
/// One job runs at a time. A call from inside a job, or while another caller's job runs, is executed by the calling thread alone.
/// A job allocates nothing.
/// </remarks>
public sealed unsafe class ComputePool : IDisposable
{
    // About 20 to 50 microseconds of spinning: longer than the gap between two kernels of a step, shorter than a human notices.
    private const int SpinsBeforeParking = 2000;

    private readonly Thread[] _workers;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _submit = new();
    private delegate*<void*, long, long, void> _run;
    private void* _body;
    private long _count;
    private long _grain;
    private long _next;
    private int _ticket;      // grows by one with every job
    private int _parked;
    private int _active;      // workers that still may touch the current job
    private int _seats;       // workers that may still join the current job
    private Exception? _error;
    private volatile bool _stop;

    /// <summary>The pool that tensors outside any scope use: one thread per processor.</summary>
    public static ComputePool Shared { get; } = new(Environment.ProcessorCount);

    [ThreadStatic]
    private static ComputePool? t_current;

    /// <summary>The pool that this thread's tensors outside any scope use: the innermost of <see cref="Use"/>, or the shared one.</summary>
    internal static ComputePool Current => t_current ?? Shared;

    /// <summary>
    /// Until the result is disposed, operations of this thread on tensors outside any scope (updates of weights and their gradients) run on this
    /// pool: two pools at once would have more threads than there are processors.
    /// </summary>
    public Usage Use() => new(this);

    /// <summary>Ends what <see cref="ComputePool.Use"/> began.</summary>
    public readonly ref struct Usage
    {
        private readonly ComputePool? _before;

        internal Usage(ComputePool pool) => (_before, t_current) = (t_current, pool);

        /// <summary>Goes back to the pool before.</summary>
        public void Dispose() => t_current = _before;
    }

    /// <summary>Starts a pool.</summary>
    /// <param name="threads">Threads that compute, the caller included; at least 1.</param>
    public ComputePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"banyan-compute-{i + 1}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads that compute, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Scratch memory that attention keeps from call to call.</summary>
    internal Cpu.AttentionWorkspaces AttentionWorkspaces { get; } = new();

    /// <summary>Scratch memory for kernels that run on this pool.</summary>
    internal Workspace Workspace { get; } = new();

    /// <summary>Runs <paramref name="body"/> over <c>[0, count)</c> in pieces of <paramref name="grain"/> items; returns when all are done.</summary>
    /// <param name="count">Number of items.</param>
    /// <param name="grain">Items in a piece, at least 1. A count of at most one piece runs on the caller.</param>
    /// <param name="body">The work; copied to the caller's stack, so a struct with pointers allocates nothing.</param>
    public void For<TBody>(long count, long grain, TBody body) where TBody : struct, IParallelBody
    {
        if (count <= 0)
        {
            return;
        }
        grain = Math.Max(grain, 1);
        if (count <= grain || Threads == 1 || !_submit.TryEnter())
        {
            body.Run(0, count);
            return;
        }
        if (_inJob)
        {
            // The lock is recursive: the submitting thread itself may come back from inside a job.
            _submit.Exit();
            body.Run(0, count);
            return;
        }
        try
        {
            _inJob = true;
            Submit(count, grain, &Trampoline<TBody>, Unsafe.AsPointer(ref body));
        }
        finally
        {
            _inJob = false;
            _submit.Exit();
        }
    }

    private bool _inJob;

    // Each piece runs on its own copy: a body may keep state in its fields.
    private static void Trampoline<TBody>(void* body, long begin, long end) where TBody : struct, IParallelBody
    {
        TBody own = Unsafe.AsRef<TBody>(body);
        own.Run(begin, end);
    }

    private void Submit(long count, long grain, delegate*<void*, long, long, void> run, void* body)
    {
        _run = run;
        _body = body;
        _count = count;
        _grain = grain;
        _error = null;
        Volatile.Write(ref _next, 0);
        long pieces = (count + grain - 1) / grain;
        Volatile.Write(ref _seats, (int)Math.Min(_workers.Length, pieces - 1));
        Interlocked.Increment(ref _ticket);
        int parked = Volatile.Read(ref _parked);
        if (parked > 0)
        {
            _wake.Release(parked);
        }
        Claim();
        // Close the job: nobody may join any more; then wait for those who did.
        // The exchange is a full fence: with a plain store, _active could be read before a late worker sees the seats gone.
        Interlocked.Exchange(ref _seats, 0);
        SpinWait spin = default;
        while (Volatile.Read(ref _active) != 0)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
        if (_error is { } error)
        {
            _error = null;
            throw new AggregateException(error.Message, error);
        }
    }

    private void Claim()
    {
        long count = _count, grain = _grain;
        try
        {
            while (true)
            {
                long begin = Interlocked.Add(ref _next, grain) - grain;
                if (begin >= count)
                {
                    return;
                }
                _run(_body, begin, Math.Min(begin + grain, count));
            }
        }
        catch (Exception e)
        {
            _error = e;
            Volatile.Write(ref _next, count);
        }
    }

    private void Work()
    {
        int seen = 0;
        while (!_stop)
        {
            int ticket = WaitForJob(seen);
            if (_stop)
            {
                return;
            }
            seen = ticket;
            Interlocked.Increment(ref _active);
            // A seat is taken after _active is raised: the submitter closes the seats, then waits for _active to fall.
            if (Interlocked.Decrement(ref _seats) >= 0)
            {
                Claim();
            }
            Interlocked.Decrement(ref _active);
        }
    }

    private int WaitForJob(int seen)
    {
        for (int i = 0; i < SpinsBeforeParking; i++)
        {
            int ticket = Volatile.Read(ref _ticket);
            if (ticket != seen || _stop)
            {
                return ticket;
            }
            Thread.SpinWait(8);
        }
        Interlocked.Increment(ref _parked);
        try
        {
            // Look once more after announcing: a job submitted in between would not have released the semaphore for us.
            int ticket;
            while ((ticket = Volatile.Read(ref _ticket)) == seen && !_stop)
            {
                _wake.Wait();
            }
            return ticket;
        }
        finally
        {
            Interlocked.Decrement(ref _parked);
        }
    }

    /// <summary>Stops the threads.</summary>
    public void Dispose()
    {
        _stop = true;
        _wake.Release(Math.Max(_workers.Length, 1));
        foreach (Thread worker in _workers)
        {
            worker.Join();
        }
        _wake.Dispose();
        AttentionWorkspaces.Dispose();
        Workspace.Dispose();
    }
}
