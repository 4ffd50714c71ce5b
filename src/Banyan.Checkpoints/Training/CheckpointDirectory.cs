using System.Globalization;

namespace Banyan.Checkpoints;

/// <summary>
/// The checkpoints of one training run: folders <c>checkpoint-500</c>, <c>checkpoint-1000</c>, ... as transformers names them. A save appears
/// complete or not at all, and whatever is damaged later is noticed, named and passed over.
/// </summary>
/// <remarks>One process writes; others may read at the same time.</remarks>
/// <example><code>
/// var checkpoints = new CheckpointDirectory("runs/a");
/// if (checkpoints.FindLatest(Console.Error.WriteLine) is { } latest) { ... latest.ReadState(), latest["model.safetensors"] ... }
/// using CheckpointDraft draft = checkpoints.Begin(step);
/// SafetensorsWriter.Write(draft["model.safetensors"], tensors);
/// draft.WriteState(json => json.WriteNumber("tokens", tokens));
/// draft.Commit(metric: validationLoss);
/// </code></example>
public sealed class CheckpointDirectory
{
    private const string Prefix = "checkpoint-";
    private const string Replaced = ".replaced"; // an older save of the same step, in the moment before the new one has its name
    private const string Hidden = "." + Prefix;  // drafts, and what is being removed

    private readonly CheckpointRetention _retention;

    /// <summary>Names a run's folder; it is created by the first save.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="retention">Which checkpoints stay; by default the last two and the best.</param>
    public CheckpointDirectory(string path, CheckpointRetention? retention = null)
    {
        Path = path;
        _retention = (retention ?? new CheckpointRetention()).Validated();
    }

    /// <summary>The run's folder.</summary>
    public string Path { get; }

    /// <summary>Begins a save, after removing what interrupted saves left behind.</summary>
    /// <param name="step">The number of optimizer steps done; a checkpoint of the same step is replaced.</param>
    public CheckpointDraft Begin(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        RemoveLeftovers();
        return new CheckpointDraft(this, step, System.IO.Path.Combine(Path, HiddenName(Name(step))));
    }

    /// <summary>The newest checkpoint whose files are all intact, or null where the run has none yet.</summary>
    /// <param name="onDamaged">Told of each damaged checkpoint that was passed over; the message names the file.</param>
    /// <exception cref="CheckpointException">There are checkpoints, but every one is damaged: the run does not silently begin anew.</exception>
    public SavedCheckpoint? FindLatest(Action<CheckpointException>? onDamaged = null) => FirstIntact(checkpoints => checkpoints, onDamaged);

    /// <summary>The checkpoint with the best metric whose files are all intact, or null where none has a metric; otherwise as <see cref="FindLatest"/>.</summary>
    public SavedCheckpoint? FindBest(Action<CheckpointException>? onDamaged = null) => FirstIntact(_retention.BestFirst, onDamaged);

    /// <summary>Removes the drafts of saves that were interrupted. Only the process that writes may call this.</summary>
    public void RemoveLeftovers()
    {
        if (!Directory.Exists(Path))
        {
            return;
        }
        foreach (string folder in Directory.EnumerateDirectories(Path, Hidden + "*"))
        {
            Directory.Delete(folder, recursive: true);
        }
        foreach (string older in Directory.EnumerateDirectories(Path, Prefix + "*" + Replaced).Where(f => Directory.Exists(f[..^Replaced.Length])))
        {
            Remove(older);
        }
    }

    internal SavedCheckpoint Publish(string draft, CheckpointManifest manifest)
    {
        string path = System.IO.Path.Combine(Path, Name(manifest.Step));
        if (Directory.Exists(path))
        {
            Directory.Move(path, path + Replaced);
        }
        Directory.Move(draft, path);
        AtomicFile.FlushDirectory(Path);
        RemoveLeftovers();
        RemoveOld(path);
        return new SavedCheckpoint(path, manifest);
    }

    private SavedCheckpoint? FirstIntact(Func<IEnumerable<SavedCheckpoint>, IEnumerable<SavedCheckpoint>> order, Action<CheckpointException>? onDamaged)
    {
        var damaged = new List<CheckpointException>();
        IEnumerable<SavedCheckpoint> readable = Newest().Select(f => Attempt(() => Read(f))).OfType<SavedCheckpoint>();
        SavedCheckpoint? intact = order(readable).FirstOrDefault(c => Attempt(() => Verified(c)) is not null);
        return intact is not null || damaged.Count == 0 ? intact
            : throw new CheckpointException(Path, $"no checkpoint is intact; the newest: {damaged[0].Message}. Restore one, or move them away to begin anew", damaged[0]);

        SavedCheckpoint? Attempt(Func<SavedCheckpoint> read)
        {
            try
            {
                return read();
            }
            catch (CheckpointException e)
            {
                damaged.Add(e);
                onDamaged?.Invoke(e);
                return null;
            }
        }
    }

    private static SavedCheckpoint Read(string folder) => new(folder, CheckpointManifest.Read(folder));

    private static SavedCheckpoint Verified(SavedCheckpoint checkpoint)
    {
        checkpoint.Verify();
        return checkpoint;
    }

    // Only what came before this save goes. Checkpoints of later steps stem from before a return to an earlier one: the user decides about them.
    private void RemoveOld(string saved)
    {
        List<string> newest = [.. Newest().SkipWhile(f => f != saved)];
        var keep = new HashSet<string>(newest.Take(_retention.KeepLast));
        keep.UnionWith(_retention.BestFirst(newest.Select(TryRead).OfType<SavedCheckpoint>()).Take(_retention.KeepBest).Select(c => c.Path));
        foreach (string folder in newest.Where(f => !keep.Contains(f)))
        {
            Remove(folder);
        }
    }

    private static SavedCheckpoint? TryRead(string folder)
    {
        try
        {
            return Read(folder);
        }
        catch (CheckpointException)
        {
            return null;
        }
    }

    // Hidden first: a crash while files disappear leaves a leftover, not a checkpoint that looks damaged.
    private void Remove(string folder)
    {
        string hidden = System.IO.Path.Combine(Path, HiddenName(System.IO.Path.GetFileName(folder)));
        Directory.Move(folder, hidden);
        Directory.Delete(hidden, recursive: true);
    }

    // Newest step first, a replaced save behind the one of its step.
    private IEnumerable<string> Newest() => !Directory.Exists(Path) ? [] : Directory.EnumerateDirectories(Path, Prefix + "*")
        .Select(f => (Folder: f, Step: StepOf(System.IO.Path.GetFileName(f))))
        .Where(f => f.Step is not null)
        .OrderByDescending(f => f.Step).ThenBy(f => f.Folder.Length)
        .Select(f => f.Folder);

    private static long? StepOf(string name) =>
        long.TryParse(name.AsSpan(Prefix.Length, name.Length - Prefix.Length - (name.EndsWith(Replaced, StringComparison.Ordinal) ? Replaced.Length : 0)),
            NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : null;

    private static string Name(long step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step}");

    private static string HiddenName(string name) => $".{name}.{Guid.NewGuid():N}";
}
