using System.Text.Json;

namespace Banyan.Checkpoints;

/// <summary>
/// A checkpoint while it is written: a hidden folder that gets its name only when <see cref="Commit"/> has flushed every file. Put any files
/// into <see cref="Folder"/>, for example with <see cref="SafetensorsWriter"/>. Disposed without a commit, it leaves nothing.
/// </summary>
public sealed class CheckpointDraft : IDisposable
{
    internal const string StateFile = "state.json";

    private readonly CheckpointDirectory _directory;
    private readonly long _step;
    private bool _done;

    internal CheckpointDraft(CheckpointDirectory directory, long step, string folder)
    {
        _directory = directory;
        _step = step;
        Folder = folder;
        Directory.CreateDirectory(folder);
    }

    /// <summary>Where the files go; sub-folders are welcome.</summary>
    public string Folder { get; }

    /// <summary>Path of a file inside.</summary>
    public string this[string file] => Path.Combine(Folder, file);

    /// <summary>Writes <c>state.json</c>: an object for what is no tensor (position in the data, seeds, the optimizer's step).</summary>
    /// <param name="write">Writes the properties; the braces are already there.</param>
    public void WriteState(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        AtomicFile.WriteAllBytes(this[StateFile], bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>
    /// Writes the manifest, flushes everything to the disk, gives the folder its name and removes the checkpoints that are no longer to be kept.
    /// From here on the checkpoint is there, whatever happens to the machine; before, the earlier ones are.
    /// </summary>
    /// <param name="metric">The measure by which the best checkpoint is chosen; a finite number.</param>
    /// <exception cref="IOException">The disk is full or fails; earlier checkpoints are untouched.</exception>
    public SavedCheckpoint Commit(double? metric = null)
    {
        if (metric is { } number && !double.IsFinite(number))
        {
            throw new ArgumentOutOfRangeException(nameof(metric), number, "the metric of a checkpoint is a finite number (null where there is none)");
        }
        CheckpointManifest manifest = CheckpointManifest.Of(Folder, _step, metric);
        manifest.Write(Folder);
        Flush();
        SavedCheckpoint saved = _directory.Publish(Folder, manifest);
        _done = true;
        return saved;
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose()
    {
        if (!_done)
        {
            Directory.Delete(Folder, recursive: true);
            _done = true;
        }
    }

    // Files first, then the folders that name them.
    private void Flush()
    {
        foreach (string file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            AtomicFile.FlushFile(file);
        }
        foreach (string folder in Directory.EnumerateDirectories(Folder, "*", SearchOption.AllDirectories).Append(Folder))
        {
            AtomicFile.FlushDirectory(folder);
        }
    }
}
