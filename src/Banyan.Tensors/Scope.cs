using System.Runtime.InteropServices;
using Banyan.Autograd;
using Banyan.Memory;

namespace Banyan;

/// <summary>What a <see cref="Scope"/> does and where its memory and threads come from.</summary>
public sealed class ScopeOptions
{
    /// <summary>True records operations on a <see cref="Tape"/>, so that gradients can be computed. Default: false.</summary>
    public bool RecordGradients { get; init; }

    /// <summary>The threads that compute. Default: <see cref="ComputePool.Shared"/>.</summary>
    public ComputePool? Pool { get; init; }

    /// <summary>Memory to share with other scopes of the same loop. Default: a pool of its own, freed with the scope.</summary>
    public MemoryPool? Memory { get; init; }

    /// <summary>Where tensors live: <see cref="Device.Cpu"/>, or <see cref="Device.Meta"/> for a dry run. Default: CPU.</summary>
    public Device Device { get; init; }

    /// <summary>
    /// True rounds the operands of float32 matrix products to bfloat16; sums, results, and everything else stay float32. Twice as fast where the
    /// processor has the instruction, the same bits everywhere. Default: false.
    /// </summary>
    public bool Bf16Products { get; init; }

    /// <summary>
    /// True multiplies weights in blocks (<see cref="DTypeKind.Blocks"/>) as the float32 numbers that they stand for; false also quantizes the other operand, to 8 bits in groups of
    /// 32, and multiplies whole numbers, as llama.cpp does: many times as fast. Default: false.
    /// </summary>
    public bool ExactBlockProducts { get; init; }

    /// <summary>
    /// True reuses even the handles (the <see cref="Tensor"/> objects) after <see cref="Scope.Reset"/>, so that a step allocates no managed
    /// memory. A handle kept from an earlier step then shows another tensor instead of throwing: only for loops that keep none.
    /// Default: false.
    /// </summary>
    public bool RecycleHandles { get; init; }
}

/// <summary>
/// Owns the tensors of one step: operations on a tensor of a scope put their results into that scope, and all of them die together at
/// <see cref="Reset"/> or <see cref="Dispose"/>. Nothing is ambient: two scopes on two threads train two models.
/// </summary>
/// <example><code>
/// using var step = new Scope(new() { RecordGradients = true });
/// Tensor loss = model.Forward(step.From(ids, [2, 8])).Mean();
/// loss.Backward();
/// </code></example>
public sealed class Scope : IDisposable
{
    private readonly List<(TensorBody Body, int Generation)> _live = [];
    private readonly Stack<TensorBody> _spare = [];
    private readonly bool _ownsMemory;
    private readonly bool _recycleHandles;

    /// <summary>Opens a scope.</summary>
    public Scope(ScopeOptions? options = null)
    {
        options ??= new ScopeOptions();
        Pool = options.Pool ?? ComputePool.Shared;
        Memory = options.Memory ?? new MemoryPool();
        _ownsMemory = options.Memory is null;
        _recycleHandles = options.RecycleHandles;
        Device = options.Device;
        Bf16Products = options.Bf16Products;
        ExactBlockProducts = options.ExactBlockProducts;
        Tape = options.RecordGradients ? new Tape(this) : null;
    }

    /// <summary>The threads that compute this scope's operations.</summary>
    public ComputePool Pool { get; }

    /// <summary>Where this scope's memory comes from; also its peak.</summary>
    public MemoryPool Memory { get; }

    /// <summary>Where this scope's tensors live.</summary>
    public Device Device { get; }

    /// <summary>Whether matrix products round their operands to bfloat16.</summary>
    public bool Bf16Products { get; }

    /// <summary>Whether products with weights in blocks are computed in float32.</summary>
    public bool ExactBlockProducts { get; }

    /// <summary>The record of operations, or null where gradients are not recorded.</summary>
    public Tape? Tape { get; }

    /// <summary>A tensor of zeros in this scope.</summary>
    public Tensor Zeros(in Shape shape, DType? dtype = null)
    {
        Tensor t = Allocate(shape, dtype ?? DType.Float32);
        t.Fill(0);
        return t;
    }

    /// <summary>A tensor with a copy of <paramref name="data"/> (row-major) in this scope.</summary>
    public Tensor From<T>(ReadOnlySpan<T> data, in Shape shape) where T : unmanaged
    {
        Tensor t = Allocate(shape, Tensor.DTypeOf<T>());
        t.CopyFrom(data);
        return t;
    }

    /// <summary>A tensor with a copy of <paramref name="data"/> (row-major) in this scope.</summary>
    public Tensor From<T>(T[] data, in Shape shape) where T : unmanaged => From((ReadOnlySpan<T>)data, shape);

    /// <summary>
    /// A tensor of this scope with the same elements as one from outside (a parameter): operations on it then belong to this scope, and its
    /// gradient flows to the original.
    /// </summary>
    public Tensor Use(Tensor tensor) => tensor.Scope == this ? tensor : Ops.Alias.Apply(tensor, this);

    /// <summary>Remembers how far the scope has come, for <see cref="Keep"/>.</summary>
    public int Mark() => _live.Count;

    /// <summary>
    /// Frees what was made since <paramref name="mark"/>, except <paramref name="result"/>. Does nothing while a tape records (it needs the
    /// values): models call it after each block, so that inference holds one block's memory.
    /// </summary>
    public Tensor Keep(int mark, Tensor result)
    {
        if (Tape is { Recording: true } || result.Scope != this)
        {
            return result;
        }
        TensorBody kept = result.Body;
        for (int i = _live.Count - 1; i >= mark; i--)
        {
            if (_live[i].Body != kept)
            {
                Kill(_live[i]);
            }
        }
        CollectionsMarshal.SetCount(_live, mark);
        _live.Add((kept, kept.Generation));
        return result;
    }

    /// <summary>Ends the step: every tensor of the scope dies, the tape is empty, the memory waits for the next step.</summary>
    public void Reset()
    {
        Tape?.Clear();
        ReleaseFrom(0);
    }

    /// <summary>Ends the scope.</summary>
    public void Dispose()
    {
        Reset();
        if (_ownsMemory)
        {
            Memory.Dispose();
        }
        GC.SuppressFinalize(this);
    }

    /// <summary>Reports a scope that was forgotten, see <see cref="ScopeLeaks"/>.</summary>
    ~Scope() => ScopeLeaks.Report(Memory.CurrentBytes);

    /// <summary>A tensor of this scope with undefined elements.</summary>
    internal Tensor Allocate(in Shape shape, DType dtype)
    {
        TensorBody body = NewBody();
        body.DType = dtype;
        body.Shape = shape;
        body.Strides = shape.RowMajorStrides();
        body.IsContiguous = true;
        body.Offset = 0;
        body.Storage = Device.IsMeta ? Memory.RentNothing(dtype.ByteCount(shape.Count)) : Memory.Rent(dtype.ByteCount(shape.Count));
        body.Storage.AddReference();
        return HandleOf(body);
    }

    /// <summary>A tensor of this scope that shares another's storage.</summary>
    internal Tensor View(TensorBody of, in Shape shape, in Shape strides, long offset, DType dtype)
    {
        TensorBody body = NewBody();
        Tensor.Layout(body, of, shape, strides, offset, dtype);
        return HandleOf(body);
    }

    internal int LiveCount => _live.Count;

    /// <summary>Kills what was made in [from, to), except bodies that <paramref name="keep"/> names.</summary>
    internal void ReleaseRange(int from, int to, Func<TensorBody, bool> keep)
    {
        for (int i = from; i < to; i++)
        {
            if (_live[i].Body.Generation == _live[i].Generation && !keep(_live[i].Body))
            {
                Kill(_live[i]);
            }
        }
    }

    /// <summary>Ends one tensor's life before the scope's.</summary>
    internal void Release(TensorBody body) => Kill((body, body.Generation));

    private void ReleaseFrom(int mark)
    {
        for (int i = _live.Count - 1; i >= mark; i--)
        {
            Kill(_live[i]);
        }
        CollectionsMarshal.SetCount(_live, mark);
    }

    private void Kill((TensorBody Body, int Generation) entry)
    {
        if (entry.Body.Generation == entry.Generation)
        {
            entry.Body.Kill();
            _spare.Push(entry.Body);
        }
    }

    private TensorBody NewBody()
    {
        if (!_spare.TryPop(out TensorBody? body))
        {
            body = new TensorBody { Scope = this };
        }
        body.Device = Device;
        body.IsTransient = Tape is { InBackward: true };
        _live.Add((body, body.Generation));
        return body;
    }

    private Tensor HandleOf(TensorBody body)
    {
        if (!_recycleHandles)
        {
            return new Tensor(body);
        }
        Tensor handle = body.Handle ??= new Tensor(body);
        handle.Renew();
        return handle;
    }
}
