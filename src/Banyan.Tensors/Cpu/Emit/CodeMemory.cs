using System.Runtime.InteropServices;

namespace Banyan.Cpu.Emit;

/// <summary>
/// Memory for machine code: it is written while it cannot be executed, and then made executable and never written again. It lives as
/// long as the process, as the code of the program itself.
/// </summary>
internal static unsafe partial class CodeMemory
{
    /// <summary>Copies code to executable memory. Null where the platform forbids it: the managed kernel runs then.</summary>
    public static void* Publish(ReadOnlySpan<byte> code)
    {
        if (OperatingSystem.IsLinux())
        {
            return OnLinux(code);
        }
        return OperatingSystem.IsWindows() ? OnWindows(code) : null;
    }

    private static void* OnLinux(ReadOnlySpan<byte> code)
    {
        const int Read = 1, Write = 2, Execute = 4, Private = 2, Anonymous = 0x20;
        nint pages = Map(0, (nuint)code.Length, Read | Write, Private | Anonymous, -1, 0);
        if (pages == -1)
        {
            return null;
        }
        code.CopyTo(new Span<byte>((void*)pages, code.Length));
        if (Protect(pages, (nuint)code.Length, Read | Execute) != 0)
        {
            _ = Unmap(pages, (nuint)code.Length);
            return null;
        }
        return (void*)pages;
    }

    private static void* OnWindows(ReadOnlySpan<byte> code)
    {
        const uint CommitAndReserve = 0x3000, ReadWrite = 0x04, ExecuteRead = 0x20, Release = 0x8000;
        nint pages = VirtualAlloc(0, (nuint)code.Length, CommitAndReserve, ReadWrite);
        if (pages == 0)
        {
            return null;
        }
        code.CopyTo(new Span<byte>((void*)pages, code.Length));
        if (VirtualProtect(pages, (nuint)code.Length, ExecuteRead, out _) == 0)
        {
            _ = VirtualFree(pages, 0, Release);
            return null;
        }
        return (void*)pages;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint bytes, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint bytes);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint bytes, uint type, uint protection);

    [LibraryImport("kernel32")]
    private static partial int VirtualProtect(nint address, nuint bytes, uint protection, out uint old);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(nint address, nuint bytes, uint type);
}
