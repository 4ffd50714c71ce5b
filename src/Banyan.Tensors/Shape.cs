using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Banyan;

/// <summary>The sizes of a tensor's dimensions: at most <see cref="MaxRank"/>, held in place, so that a shape allocates nothing.</summary>
/// <remarks>Write <c>[2, 3]</c> or <c>new Shape(2, 3)</c>; <c>default</c> is the shape of a 0-d tensor. Indices may be negative.</remarks>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IEnumerable<long>
{
    /// <summary>The most dimensions that a tensor can have.</summary>
    public const int MaxRank = 8;

    [InlineArray(MaxRank)]
    private struct Sizes
    {
        private long _first;
    }

    private readonly Sizes _sizes;

    /// <summary>A shape of the given sizes.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaxRank"/> sizes, or a negative one.</exception>
    public Shape(params ReadOnlySpan<long> sizes)
    {
        if (sizes.Length > MaxRank)
        {
            throw new ArgumentException($"shape: {sizes.Length} dimensions given, at most {MaxRank} are supported");
        }
        foreach (long size in sizes)
        {
            if (size < 0)
            {
                throw new ArgumentException($"shape: the size {size} is negative in [{string.Join(", ", sizes.ToArray())}]");
            }
        }
        Rank = sizes.Length;
        sizes.CopyTo(_sizes);
    }

    /// <summary>A shape of the given sizes: what a collection expression calls.</summary>
    public static Shape Create(ReadOnlySpan<long> sizes) => new(sizes);

    /// <summary>Number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>The size of one dimension; -1 is the last.</summary>
    public long this[int dim] => _sizes[Axis(dim)];

    /// <summary>Number of elements: the product of the sizes, 1 for a 0-d tensor.</summary>
    /// <exception cref="OverflowException">The product exceeds 2^63.</exception>
    public long Count
    {
        get
        {
            long count = 1;
            for (int i = 0; i < Rank; i++)
            {
                count = checked(count * _sizes[i]);
            }
            return count;
        }
    }

    /// <summary>The sizes, outermost first.</summary>
    [UnscopedRef]
    public ReadOnlySpan<long> Span => ((ReadOnlySpan<long>)_sizes)[..Rank];

    /// <summary>Turns a possibly negative dimension into an index from the front.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public int Axis(int dim)
    {
        int axis = dim < 0 ? dim + Rank : dim;
        if ((uint)axis >= (uint)Rank)
        {
            throw new ArgumentOutOfRangeException(nameof(dim), dim, $"shape {this} has dimensions {-Rank}..{Rank - 1}");
        }
        return axis;
    }

    /// <summary>The same shape with one size replaced.</summary>
    public Shape With(int dim, long size)
    {
        Span<long> sizes = stackalloc long[MaxRank];
        Span.CopyTo(sizes);
        sizes[Axis(dim)] = size;
        return new Shape(sizes[..Rank]);
    }

    /// <summary>The same shape without one dimension.</summary>
    public Shape Without(int dim)
    {
        int axis = Axis(dim);
        Span<long> sizes = stackalloc long[MaxRank];
        Span[..axis].CopyTo(sizes);
        Span[(axis + 1)..].CopyTo(sizes[axis..]);
        return new Shape(sizes[..(Rank - 1)]);
    }

    /// <summary>The same shape with a dimension put in before <paramref name="dim"/> (which may equal <see cref="Rank"/>; -1 appends).</summary>
    public Shape Insert(int dim, long size)
    {
        int axis = dim < 0 ? dim + Rank + 1 : dim;
        Span<long> sizes = stackalloc long[MaxRank + 1];
        Span[..axis].CopyTo(sizes);
        sizes[axis] = size;
        Span[axis..].CopyTo(sizes[(axis + 1)..]);
        return new Shape(sizes[..(Rank + 1)]);
    }

    /// <summary>The <paramref name="length"/> dimensions from <paramref name="start"/> on.</summary>
    public Shape Slice(int start, int length) => new(Span.Slice(start, length));

    /// <summary>The strides, in elements, of a dense row-major tensor of this shape.</summary>
    public Shape RowMajorStrides()
    {
        Span<long> strides = stackalloc long[MaxRank];
        long step = 1;
        for (int i = Rank - 1; i >= 0; i--)
        {
            strides[i] = step;
            step = checked(step * Math.Max(_sizes[i], 1));
        }
        return new Shape(strides[..Rank]);
    }

    /// <summary>The shape that two shapes broadcast to, as in NumPy.</summary>
    /// <exception cref="ArgumentException">A dimension differs and neither is 1.</exception>
    public static Shape Broadcast(in Shape a, in Shape b)
    {
        int rank = Math.Max(a.Rank, b.Rank);
        Span<long> sizes = stackalloc long[MaxRank];
        for (int i = 1; i <= rank; i++)
        {
            long x = i <= a.Rank ? a[a.Rank - i] : 1;
            long y = i <= b.Rank ? b[b.Rank - i] : 1;
            if (x != y && x != 1 && y != 1)
            {
                throw new ArgumentException($"shapes {a} and {b} do not broadcast: dimension -{i} is {x} and {y}");
            }
            sizes[rank - i] = x == 1 ? y : x;
        }
        return new Shape(sizes[..rank]);
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (long size in Span)
        {
            hash.Add(size);
        }
        return hash.ToHashCode();
    }

    /// <summary>True when both have the same sizes.</summary>
    public static bool operator ==(Shape a, Shape b) => a.Equals(b);

    /// <summary>True when a size differs.</summary>
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);

    /// <summary>A shape from an array of sizes.</summary>
    public static implicit operator Shape(long[] sizes) => new(sizes);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Span.ToArray())}]";

    /// <summary>Enumerates the sizes.</summary>
    public IEnumerator<long> GetEnumerator()
    {
        for (int i = 0; i < Rank; i++)
        {
            yield return _sizes[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
