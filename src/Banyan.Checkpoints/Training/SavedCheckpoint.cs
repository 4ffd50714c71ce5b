namespace Banyan.Checkpoints;

/// <summary>A complete training checkpoint on disk: a folder of files and the manifest with their checksums.</summary>
public sealed class SavedCheckpoint
{
    private readonly CheckpointManifest _manifest;

    internal SavedCheckpoint(string path, CheckpointManifest manifest)
    {
        Path = path;
        _manifest = manifest;
    }

    /// <summary>The folder. Where it holds <c>config.json</c> and <c>model.safetensors</c>, <see cref="ModelFolder.Open"/> reads it.</summary>
    public string Path { get; }

    /// <summary>The number of optimizer steps behind it.</summary>
    public long Step => _manifest.Step;

    /// <summary>The measure by which the best one is chosen, for example the validation loss; null where none was given.</summary>
    public double? Metric => _manifest.Metric;

    /// <summary>Path of a file inside.</summary>
    public string this[string file] => System.IO.Path.Combine(Path, file);

    /// <summary>Reads <c>state.json</c>, what <see cref="CheckpointDraft.WriteState"/> wrote.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public ConfigReader ReadState() => ConfigReader.Open(this[CheckpointDraft.StateFile]);

    /// <summary>Reads every file and compares it with its length and checksum.</summary>
    /// <exception cref="CheckpointException">A file is missing, cut short or damaged; the message names it.</exception>
    public void Verify() => _manifest.Verify(Path);

    /// <inheritdoc/>
    public override string ToString() => Path;
}
