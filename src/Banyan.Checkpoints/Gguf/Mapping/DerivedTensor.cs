namespace Banyan.Checkpoints.Gguf;

/// <summary>A tensor whose rows are rows of other tensors in another order, perhaps transposed or with each number changed; computed in pieces when it is asked for.</summary>
internal sealed class DerivedTensor
{
    private const int PieceElements = 1 << 20;

    /// <summary>The tensors that it is made of, in the checkpoint it is read from.</summary>
    public required string[] Sources { get; init; }

    /// <summary>Sizes of the result, slowest first.</summary>
    public required long[] Shape { get; init; }

    /// <summary>For each row the row of the sources, one after the other; -1: zeros; null: the same order.</summary>
    public Func<long[]>? Rows { get; init; }

    /// <summary>Which sources have their last two axes swapped before their rows are counted; null: none.</summary>
    public bool[]? TransposedSources { get; init; }

    /// <summary>Whether the last two axes are swapped at the end.</summary>
    public bool Transposed { get; init; }

    /// <summary>Rows are single elements, whatever the shape.</summary>
    public bool ByElement { get; init; }

    /// <summary>What is done to each number, in float32.</summary>
    public Func<float, float>? Each { get; init; }

    /// <summary>True where the bytes of the only source are those of the result, in the same type.</summary>
    public bool IsCopy => Sources.Length == 1 && Rows is null && !Transposed && TransposedSources is null && Each is null;

    /// <summary>Computes the bytes in the type <paramref name="type"/> and hands them over piece by piece, in order.</summary>
    public void Write(ICheckpointReader reader, StoredType type, Action<ReadOnlyMemory<byte>> write, CancellationToken cancellation = default)
    {
        long length = ByElement || Shape.Length < 2 ? 1 : Transposed ? Shape[^2] : Shape[^1], count = Shape.Aggregate(1L, (a, b) => a * b);
        if (count == 0)
        {
            return;
        }
        var sources = new List<RowSource>();
        try
        {
            for (int i = 0; i < Sources.Length; i++)
            {
                sources.Add(new RowSource(reader, Sources[i], length, TransposedSources?[i] ?? false));
            }
            long[]? order = Rows?.Invoke();
            long rows = count / length, perPiece = Transposed ? Shape[^1] : Math.Max(1, PieceElements / length);
            // Whole blocks, and where rows are single elements many of them.
            perPiece = Transposed || length % type.BlockElements == 0 ? perPiece : (perPiece + type.BlockElements - 1) / type.BlockElements * type.BlockElements;
            var values = new float[checked((int)(Math.Min(perPiece, rows) * length))];
            var bytes = new byte[checked((int)type.ByteCount(values.Length))];
            for (long first = 0; first < rows; first += perPiece)
            {
                cancellation.ThrowIfCancellationRequested();
                int n = (int)Math.Min(perPiece, rows - first);
                Span<float> piece = values.AsSpan(0, checked((int)(n * length)));
                Gather(sources, order, first, n, (int)length, piece);
                if (Each is { } each)
                {
                    foreach (ref float value in piece)
                    {
                        value = each(value);
                    }
                }
                float[] ordered = Transposed ? Swap(piece, n, (int)length) : values;
                int size = (int)type.ByteCount(piece.Length);
                ElementCodec.Encode(type, ordered.AsSpan(0, piece.Length), bytes.AsSpan(0, size));
                write(bytes.AsMemory(0, size));
            }
        }
        finally
        {
            sources.ForEach(s => s.Dispose());
        }
    }

    /// <summary>
    /// The bytes in the type of the sources, where rows are only put in another order: the file itself where they lie together, else a copy. Null where numbers change or rows are
    /// no whole blocks.
    /// </summary>
    public unsafe TensorBytes? MapRows(GgufFile file, DType type)
    {
        TensorEntry[] sources = [.. Sources.Select(file.Get)];
        if (Transposed || TransposedSources is not null || Each is not null || ByElement || Shape.Length < 2 || Shape[^1] % type.BlockElements != 0 || sources.Any(s => s.Type.Name != sources[0].Type.Name))
        {
            return null;
        }
        long rows = Shape.Aggregate(1L, (a, b) => a * b) / Shape[^1], rowBytes = type.ByteCount(Shape[^1]);
        long[] order = Rows?.Invoke() ?? [.. RowOrders.Range(0, rows)];
        if (order.Contains(-1))
        {
            return null;
        }
        if (sources.Length == 1 && order.Index().All(r => r.Item == order[0] + r.Index))
        {
            return file.Window(Sources[0], order[0] * rowBytes, rows * rowBytes);
        }
        TensorBytes[] parts = [.. Sources.Select(file.Map)];
        var buffer = new Cpu.NativeBuffer(rows * rowBytes);
        byte* to = (byte*)buffer.Floats;
        foreach (long at in order)
        {
            long row = at;
            int s = 0;
            for (; row >= parts[s].Length / rowBytes; s++)
            {
                row -= parts[s].Length / rowBytes;
            }
            Buffer.MemoryCopy((byte*)parts[s].Pointer + row * rowBytes, to, rowBytes, rowBytes);
            to += rowBytes;
        }
        foreach (TensorBytes part in parts)
        {
            ((Memory.IReclaimable)part).Reclaim();
            part.Dispose();
        }
        return new TensorBytes(buffer, 0, rows * rowBytes);
    }

    private static void Gather(List<RowSource> sources, long[]? order, long first, int count, int length, Span<float> values)
    {
        for (int i = 0; i < count;)
        {
            long row = order is null ? first + i : order[first + i];
            int run = 1;
            while (i + run < count && (order is null || order[first + i + run] == (row < 0 ? row : row + run)))
            {
                run++;
            }
            if (row < 0)
            {
                values.Slice(i * length, run * length).Clear();
                i += run;
                continue;
            }
            int s = 0;
            for (; row >= sources[s].Count; s++)
            {
                row -= sources[s].Count;
            }
            run = (int)Math.Min(run, sources[s].Count - row);
            sources[s].Read(row, values.Slice(i * length, run * length));
            i += run;
        }
    }

    private static float[] Swap(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        var result = new float[matrix.Length];
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                result[c * rows + r] = matrix[r * columns + c];
            }
        }
        return result;
    }

    /// <summary>Rows of one tensor as float32.</summary>
    private sealed class RowSource : IDisposable
    {
        private readonly TensorBytes _bytes;
        private readonly TensorEntry _entry;
        private readonly long _length;
        private readonly float[]? _transposed;

        public RowSource(ICheckpointReader reader, string name, long length, bool transposed)
        {
            _entry = reader.Get(name);
            _length = length;
            Count = _entry.ElementCount / length;
            _bytes = reader.Map(name);
            if (transposed)
            {
                ReadOnlySpan<long> shape = _entry.Shape;
                int rows = checked((int)shape[^2]), columns = checked((int)shape[^1]);
                var all = new float[checked((int)_entry.ElementCount)];
                Decode(0, all);
                _transposed = new float[all.Length];
                for (int at = 0; at < all.Length; at += rows * columns)
                {
                    Swap(all.AsSpan(at, rows * columns), rows, columns).CopyTo(_transposed, at);
                }
            }
        }

        public long Count { get; }

        public void Read(long row, Span<float> values)
        {
            if (_transposed is not null)
            {
                _transposed.AsSpan((int)(row * _length), values.Length).CopyTo(values);
                return;
            }
            Decode(row * _length, values);
        }

        public void Dispose()
        {
            // A tensor is read once: its pages of a mapped file need not stay.
            ((Memory.IReclaimable)_bytes).Reclaim();
            _bytes.Dispose();
        }

        private void Decode(long element, Span<float> values) => ElementCodec.Decode(_entry.Type, _bytes.Slice(_entry.Type.ByteCount(element), checked((int)_entry.Type.ByteCount(values.Length))), values);
    }
}
