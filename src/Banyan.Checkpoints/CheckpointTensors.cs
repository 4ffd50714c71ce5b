namespace Banyan.Checkpoints;

/// <summary>Tensors of a checkpoint as <see cref="Tensor"/> objects.</summary>
public static class CheckpointTensors
{
    /// <summary>
    /// The tensor over the mapped file itself: nothing is copied, pages are read when touched. It is read-only, belongs to no scope and
    /// stays valid after the reader is disposed. Elements that do not lie in the file as they are asked for are copied.
    /// </summary>
    /// <exception cref="CheckpointException">There is no such tensor, or its type or rank is none that tensors have.</exception>
    public static unsafe Tensor MapTensor(this ICheckpointReader reader, string name)
    {
        TensorEntry entry = reader.Get(name);
        (DType type, Shape shape) = Check(reader, entry);
        TensorBytes bytes = reader.Map(name);
        var borrowed = Tensor.Borrow((byte*)bytes.Pointer, shape, type, bytes);
        if (bytes.Pointer % type.BlockBytes == 0)
        {
            return borrowed; // the window lives as long as the tensor's storage, then its finalizer releases the mapping
        }
        Tensor copy = Copy(borrowed, type);
        bytes.Dispose();
        return copy;
    }

    /// <summary>A copy of the tensor that may be written, outside any scope.</summary>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="dtype">The type to convert to; the stored one by default.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or its type or rank is none that tensors have.</exception>
    public static Tensor LoadTensor(this ICheckpointReader reader, string name, DType? dtype = null) =>
        WithTensor(reader, name, stored => Copy(stored, dtype ?? stored.DType));

    /// <summary>Overwrites a tensor of the same shape, converting to its type.</summary>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="name">The tensor in the checkpoint.</param>
    /// <param name="destination">For example a parameter of a model.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it has another shape.</exception>
    public static void LoadInto(this ICheckpointReader reader, string name, Tensor destination) => WithTensor(reader, name, stored =>
    {
        if (stored.Shape != destination.Shape)
        {
            throw new CheckpointException(reader.Path, $"tensor {CheckpointException.Quote(name)} has the shape {stored.Shape}; the model expects {destination.Shape}");
        }
        destination.CopyFrom(stored);
        return destination;
    });

    private static unsafe Tensor WithTensor(ICheckpointReader reader, string name, Func<Tensor, Tensor> use)
    {
        (DType type, Shape shape) = Check(reader, reader.Get(name));
        using TensorBytes bytes = reader.Map(name);
        return use(Tensor.Borrow((byte*)bytes.Pointer, shape, type, bytes));
    }

    private static Tensor Copy(Tensor source, DType type)
    {
        Tensor copy = Tensor.Zeros(source.Shape, type);
        copy.CopyFrom(source);
        return copy;
    }

    private static (DType Type, Shape Shape) Check(ICheckpointReader reader, TensorEntry entry)
    {
        if (entry.Type.DType is not { } type)
        {
            throw new CheckpointException(reader.Path, $"{entry} has a type that no tensor holds; expected one of "
                + $"{string.Join(", ", DType.All.Select(t => t.SafetensorsName))} (read its bytes with Map)");
        }
        return entry.Shape.Length <= Shape.MaxRank ? (type, new Shape(entry.Shape))
            : throw new CheckpointException(reader.Path, $"{entry} has {entry.Shape.Length} dimensions; tensors have at most {Shape.MaxRank}");
    }
}
