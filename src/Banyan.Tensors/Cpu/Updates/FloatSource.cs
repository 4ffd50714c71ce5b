namespace Banyan.Cpu;

/// <summary>Reads a dense float32, bfloat16 or float16 tensor as float32, a block at a time.</summary>
internal unsafe readonly struct FloatSource
{
    /// <summary>Floats in a block: 4 KiB stay in the first-level cache.</summary>
    public const int Block = 1024;

    private readonly byte* _elements;
    private readonly bool _isBFloat16;

    /// <summary>The elements of <paramref name="t"/>; the caller keeps the tensor alive.</summary>
    public FloatSource(Tensor t)
    {
        _elements = t.Body.Storage!.Pointer + t.DType.ByteCount(t.Body.Offset);
        IsFloat32 = t.DType == DType.Float32;
        _isBFloat16 = t.DType == DType.BFloat16;
    }

    /// <summary>True when blocks are read in place.</summary>
    public bool IsFloat32 { get; }

    /// <summary>A pointer to the elements [begin, end): theirs, or <paramref name="buffer"/> (a block) with the widened numbers.</summary>
    public float* Read(long begin, long end, float* buffer)
    {
        if (IsFloat32)
        {
            return (float*)_elements + begin;
        }
        for (long i = begin; i < end; i++)
        {
            buffer[i - begin] = _isBFloat16 ? ((BFloat16*)_elements)[i] : (float)((Half*)_elements)[i];
        }
        return buffer;
    }

    /// <summary>Rounds <paramref name="from"/> into the elements [begin, end).</summary>
    public void Write(long begin, long end, float* from)
    {
        for (long i = begin; i < end; i++)
        {
            if (_isBFloat16)
            {
                ((BFloat16*)_elements)[i] = (BFloat16)from[i - begin];
            }
            else
            {
                ((Half*)_elements)[i] = (Half)from[i - begin];
            }
        }
    }
}
