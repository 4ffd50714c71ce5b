using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Banyan.Checkpoints;

/// <summary>
/// <c>manifest.json</c> of a training checkpoint: <c>{"crc32c":"...","step":...,"metric":...,"files":{"model.safetensors":{"bytes":...,"crc32c":"..."}}}</c>.
/// The first key is the checksum of all bytes behind it, so that damage to the manifest itself is noticed too.
/// </summary>
/// <remarks>CRC-32C finds every burst of up to 32 flipped bits and, with the length, every truncation; one core checks it faster than a disk reads.</remarks>
internal sealed record CheckpointManifest(long Step, double? Metric, IReadOnlyDictionary<string, (long Bytes, uint Crc)> Files)
{
    public const string FileName = "manifest.json";
    private const int PrefixLength = 21; // {"crc32c":"01234567",

    /// <summary>Measures every file of a folder, sub-folders included, in the order of their names.</summary>
    public static CheckpointManifest Of(string folder, long step, double? metric)
    {
        var files = new OrderedDictionary<string, (long, uint)>();
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            files.Add(Path.GetRelativePath(folder, file).Replace('\\', '/'), Measure(file));
        }
        return new CheckpointManifest(step, metric, files);
    }

    public static CheckpointManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        byte[] bytes = File.Exists(path) ? File.ReadAllBytes(path)
            : throw new CheckpointException(path, "is missing: the checkpoint is incomplete");
        if (bytes.Length < PrefixLength || !bytes.AsSpan(0, PrefixLength).SequenceEqual(Prefix(Crc32C.Compute(bytes.AsSpan(PrefixLength)))))
        {
            throw new CheckpointException(path, "does not fit its own checksum: the file is damaged");
        }
        ConfigReader json = ConfigReader.Parse(bytes, path);
        return new CheckpointManifest(json.GetLong("step", min: 0), json.Has("metric") ? json.GetDouble("metric") : null, ReadFiles(json.GetObject("files"), path));
    }

    /// <summary>Compares every file with its length and checksum. Throws with the name of the first one that differs.</summary>
    public void Verify(string folder)
    {
        foreach ((string name, (long bytes, uint crc)) in Files)
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path))
            {
                throw new CheckpointException(path, $"is missing; {FileName} lists it with {bytes} bytes");
            }
            (long Bytes, uint Crc) found = Measure(path);
            if (found != (bytes, crc))
            {
                throw new CheckpointException(path, found.Bytes != bytes ? $"has {found.Bytes} bytes; {FileName} says {bytes} (cut short?)"
                    : $"has the checksum {found.Crc:x8}; {FileName} says {crc:x8}: the file is damaged");
            }
        }
    }

    public void Write(string folder)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteNumber("step", Step);
            if (Metric is { } metric)
            {
                json.WriteNumber("metric", metric);
            }
            WriteFiles(json);
            json.WriteEndObject();
        }
        ReadOnlySpan<byte> rest = body.ToArray().AsSpan(1); // without the opening brace, which the prefix brings
        AtomicFile.WriteAllBytes(Path.Combine(folder, FileName), [.. Prefix(Crc32C.Compute(rest)), .. rest]);
    }

    private void WriteFiles(Utf8JsonWriter json)
    {
        json.WriteStartObject("files");
        foreach ((string name, (long bytes, uint crc)) in Files)
        {
            json.WriteStartObject(name);
            json.WriteNumber("bytes", bytes);
            json.WriteString("crc32c", crc.ToString("x8", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static OrderedDictionary<string, (long, uint)> ReadFiles(ConfigReader json, string path)
    {
        var files = new OrderedDictionary<string, (long, uint)>();
        foreach (string name in json.Keys)
        {
            if (Path.IsPathRooted(name) || name.Split('/', '\\').Contains(".."))
            {
                throw new CheckpointException(path, $"lists {CheckpointException.Quote(name)}; expected a file inside the folder");
            }
            ConfigReader file = json.GetObject(name);
            bool hex = uint.TryParse(file.GetString("crc32c"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint crc);
            files.Add(name, hex ? (file.GetLong("bytes", min: 0), crc) : throw new CheckpointException(path, $"the crc32c of {CheckpointException.Quote(name)} is no hexadecimal number"));
        }
        return files;
    }

    // Read, not mapped: a bad sector under a mapping would end the process instead of throwing.
    private static (long Bytes, uint Crc) Measure(string path)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 18);
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
            long total = 0;
            uint crc = 0;
            for (int count; (count = RandomAccess.Read(file, buffer, total)) > 0; total += count)
            {
                crc = Crc32C.Append(crc, buffer.AsSpan(0, count));
            }
            return (total, crc);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"cannot be read: {e.Message}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Prefix(uint crc) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"crc32c\":\"{crc:x8}\","));
}
