using System.Runtime.ExceptionServices;

namespace Banyan.Data.Batches;

/// <summary>
/// Prepares batches ahead on its own thread, a bounded number of them, in buffers that go round. One consumer; a batch is valid until it asks
/// for the next one.
/// </summary>
public sealed class BatchPrefetcher : IDisposable
{
    private readonly TokenBatches _batches;
    private readonly TrainingBatch[] _ring; // one more than the depth: the consumer holds one
    private readonly SemaphoreSlim _free, _ready = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _failure; // both are written before the release of _ready that their reader waits for
    private int _failedSlot = -1;
    private int _next;
    private bool _isHeld, _isDisposed;

    internal BatchPrefetcher(TokenBatches batches, long step, int depth)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(depth);
        _batches = batches;
        _ring = new TrainingBatch[depth + 1];
        for (int i = 0; i < _ring.Length; i++)
        {
            _ring[i] = batches.Allocate();
        }
        _free = new SemaphoreSlim(_ring.Length);
        _thread = new Thread(() => Produce(step)) { IsBackground = true, Name = "Banyan batches" };
        _thread.Start();
    }

    /// <summary>The next batch: micro-batches in order, then the next step. It takes back the one before.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while waiting; the next call goes on with the same batch.</exception>
    /// <exception cref="IOException">The corpus could not be read; what failed on the thread is thrown here.</exception>
    public TrainingBatch Next(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (_isHeld)
        {
            _isHeld = false;
            _free.Release();
        }
        _ready.Wait(cancellationToken);
        if (_next == _failedSlot)
        {
            _ready.Release(); // every further call fails in the same way
            _failure!.Throw();
        }
        _isHeld = true;
        TrainingBatch batch = _ring[_next];
        _next = (_next + 1) % _ring.Length;
        return batch;
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
        _free.Dispose();
        _ready.Dispose();
    }

    private void Produce(long step)
    {
        int slot = 0;
        try
        {
            for (; ; step++)
            {
                for (int micro = 0; micro < _batches.MicroBatches; micro++)
                {
                    _free.Wait(_stop.Token);
                    _batches.Fill(_ring[slot], step, micro);
                    slot = (slot + 1) % _ring.Length;
                    _ready.Release();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception e) // whatever it is, it belongs to the consumer
        {
            (_failure, _failedSlot) = (ExceptionDispatchInfo.Capture(e), slot);
            _ready.Release();
        }
    }
}
