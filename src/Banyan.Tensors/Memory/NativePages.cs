using System.Runtime.InteropServices;

namespace Banyan.Memory;

/// <summary>Zeroed memory straight from the operating system: <c>mmap</c> with huge pages advised on Linux, else an aligned allocation.</summary>
internal static unsafe partial class NativePages
{
    private const int ProtReadWrite = 1 | 2;
    private const int MapPrivateAnonymous = 0x02 | 0x20;
    private const int AdviseHugePage = 14;
    private const long HugePage = 2 << 20;

    private static long s_allocations, s_liveBytes;

    /// <summary>Bytes that are allocated and not freed, in the whole process.</summary>
    public static long LiveBytes => Interlocked.Read(ref s_liveBytes);

    /// <summary>How often memory was asked of the operating system: constant once a training loop is warm.</summary>
    public static long Allocations => Interlocked.Read(ref s_allocations);

    // A small block is cheaper on the heap than a page of its own.
    private static bool UsesMap(long bytes) => OperatingSystem.IsLinux() && bytes >= 1 << 18;

    public static byte* Allocate(long bytes)
    {
        byte* p = UsesMap(bytes) ? Map(bytes) : OnHeap(bytes);
        Interlocked.Increment(ref s_allocations);
        Interlocked.Add(ref s_liveBytes, bytes);
        return p;
    }

    private static byte* OnHeap(long bytes)
    {
        byte* p = (byte*)NativeMemory.AlignedAlloc(checked((nuint)bytes), 64);
        NativeMemory.Clear(p, (nuint)bytes);
        return p;
    }

    private static byte* Map(long bytes)
    {
        byte* p = (byte*)mmap(null, (nuint)bytes, ProtReadWrite, MapPrivateAnonymous, -1, 0);
        if (p == (byte*)-1)
        {
            throw new OutOfMemoryException($"the operating system refused {bytes:N0} bytes");
        }
        if (bytes >= HugePage)
        {
            madvise(p, (nuint)bytes, AdviseHugePage);
        }
        return p;
    }

    public static void Free(byte* p, long bytes)
    {
        Interlocked.Add(ref s_liveBytes, -bytes);
        if (!UsesMap(bytes))
        {
            NativeMemory.AlignedFree(p);
            return;
        }
        munmap(p, (nuint)bytes);
    }

    /// <summary>Gives the pages of a file's read-only mapping back: they are read from the file when they are touched again.</summary>
    public static void Forget(byte* p, long bytes)
    {
        const int DontNeed = 4;
        byte* first = (byte*)(((nint)p + Environment.SystemPageSize - 1) & -Environment.SystemPageSize), end = (byte*)((nint)(p + bytes) & -Environment.SystemPageSize);
        if (OperatingSystem.IsLinux() && end > first)
        {
            madvise(first, (nuint)(end - first), DontNeed);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport("libc")]
    private static partial int madvise(void* address, nuint length, int advice);
}
