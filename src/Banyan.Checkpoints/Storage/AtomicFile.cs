using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Banyan.Checkpoints;

/// <summary>
/// A file that appears complete or not at all: it is written beside its destination, flushed to the disk, then renamed over it. Without
/// <see cref="Commit"/> nothing remains and an older file of that name stays as it was.
/// </summary>
public sealed partial class AtomicFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private bool _done;

    private AtomicFile(string path, long length)
    {
        _path = Path.GetFullPath(path);
        _temporary = $"{_path}.tmp-{Guid.NewGuid():N}";
        try
        {
            // Reserving the space first finds a full disk before an hour of writing. Some file systems fill the disk before they refuse, and everyone
            // else on it finds it full for that moment: so what plainly does not fit is not even tried.
            if (FreeSpace(Path.GetDirectoryName(_path)!) is var free && length > free)
            {
                throw new IOException($"it takes {length} bytes and the disk has {free} left.");
            }
            Handle = File.OpenHandle(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, length);
            RandomAccess.SetLength(Handle, length);
        }
        catch (IOException e)
        {
            Dispose();
            throw CannotWrite(e);
        }
    }

    /// <summary>The open temporary file, or null once it is closed.</summary>
    public SafeFileHandle? Handle { get; private set; }

    /// <summary>Begins a file of <paramref name="length"/> bytes beside <paramref name="path"/>.</summary>
    public static AtomicFile Create(string path, long length) => new(path, length);

    /// <summary>Writes a whole file.</summary>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        using AtomicFile file = Create(path, bytes.Length);
        file.Write(0, bytes);
        file.Commit();
    }

    /// <summary>Writes bytes at a place in the file.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(Handle!, bytes, offset);
        }
        catch (IOException e)
        {
            throw CannotWrite(e);
        }
    }

    /// <summary>Flushes and renames: from here on the file is there, whatever happens to the machine.</summary>
    public void Commit()
    {
        try
        {
            RandomAccess.FlushToDisk(Handle!);
            Handle!.Dispose();
            File.Move(_temporary, _path, overwrite: true);
        }
        catch (IOException e)
        {
            throw CannotWrite(e);
        }
        _done = true;
        FlushDirectory(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Removes the temporary file unless it was committed.</summary>
    public void Dispose()
    {
        Handle?.Dispose();
        if (!_done)
        {
            File.Delete(_temporary);
            _done = true;
        }
    }

    /// <summary>Makes the content of a file durable that was written by whatever means.</summary>
    public static void FlushFile(string path)
    {
        using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Makes renames inside a directory durable. A no-op on Windows, where directories cannot be flushed and NTFS journals renames.</summary>
    public static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        int descriptor = Open(directory, 0); // O_RDONLY
        if (descriptor >= 0)
        {
            _ = FSync(descriptor); // some network file systems refuse it for directories; there is nothing better to do
            _ = Close(descriptor);
        }
    }

    private static long FreeSpace(string directory)
    {
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(directory)! : directory).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return long.MaxValue; // a network share, or no such folder: writing will tell
        }
    }

    private IOException CannotWrite(IOException cause) => new(
        $"cannot write {_path}: {cause.Message} Free some space or choose another folder; an older file of this name is untouched.", cause);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
