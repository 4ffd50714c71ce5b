using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Banyan.Checkpoints;

/// <summary>A whole file in the address space, read-only. Nothing is read before it is touched.</summary>
/// <remarks>Who shortens a file while it is mapped crashes its readers; Banyan itself always replaces files by renaming.</remarks>
internal sealed class MappedFile : IDisposable
{
    private readonly SafeMemoryMappedViewHandle? _view; // null for an empty file, which cannot be mapped

    private MappedFile(string path, long length, SafeMemoryMappedViewHandle? view)
    {
        Path = path;
        Length = length;
        _view = view;
    }

    public string Path { get; }

    public long Length { get; }

    public static MappedFile Open(string path)
    {
        // Sharing everything takes no lock: a writer may rename a new file over this one.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        long length = stream.Length;
        if (length == 0)
        {
            return new MappedFile(path, 0, null);
        }
        using var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new MappedFile(path, length, file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read).SafeMemoryMappedViewHandle);
    }

    /// <summary>A counted window; the caller has checked the range against <see cref="Length"/>.</summary>
    public TensorBytes Window(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, {offset} + {length}) lies outside {Path} of {Length} bytes");
        }
        return _view is null ? TensorBytes.Nothing(this) : new TensorBytes(_view, offset, length);
    }

    public void Dispose() => _view?.Dispose();
}
