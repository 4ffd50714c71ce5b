using System.Globalization;

namespace Banyan.Training.Logging;

/// <summary>
/// Writes a TensorBoard event file: <c>tensorboard --logdir runs</c> shows scalars, texts and hyperparameters while the run goes on. Every event
/// is handed to the operating system at once and survives the process.
/// </summary>
/// <remarks>One folder is one run. Not safe for concurrent callers.</remarks>
public sealed class TensorBoardWriter : IDisposable
{
    private readonly RecordFile _file;
    private readonly TimeProvider _time;

    private TensorBoardWriter(RecordFile file, TimeProvider time)
    {
        _file = file;
        _time = time;
    }

    /// <summary>Begins a file in a run's folder, beside the files of earlier processes.</summary>
    /// <param name="folder">The folder; created where it is missing.</param>
    /// <param name="purgeStep">After a resume: events of earlier files from this step on are no longer shown.</param>
    /// <param name="time">The clock of the events; the system's by default.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public static TensorBoardWriter Create(string folder, long? purgeStep = null, TimeProvider? time = null) =>
        Create(folder, purgeStep, time ?? TimeProvider.System, "banyan");

    internal static TensorBoardWriter Create(string folder, long? purgeStep, TimeProvider time, string writerName)
    {
        Directory.CreateDirectory(folder);
        double now = Seconds(time);
        var writer = new TensorBoardWriter(new RecordFile(CreateFile(folder, (long)now)), time);
        writer.Write(EventProtos.Version(now, writerName));
        if (purgeStep is { } step)
        {
            writer.Write(EventProtos.Version(Seconds(time), step));
            writer.Write(EventProtos.SessionStart(Seconds(time), step));
        }
        return writer;
    }

    /// <summary>Adds a point to a curve.</summary>
    /// <param name="tag">The curve; a slash makes groups, as in <c>train/loss</c>.</param>
    /// <param name="value">The value, stored as float32.</param>
    /// <param name="step">The step on the horizontal axis.</param>
    public void AddScalar(string tag, double value, long step) =>
        Write(EventProtos.Summary(Seconds(_time), step, EventProtos.Scalar(tag, (float)value)));

    /// <summary>Adds a text, which TensorBoard shows as Markdown: samples, the configuration, notes.</summary>
    /// <param name="tag">The name; it appears with <c>/text_summary</c> behind it, as PyTorch writes it.</param>
    /// <param name="markdown">The text.</param>
    /// <param name="step">The step.</param>
    public void AddText(string tag, string markdown, long step) =>
        Write(EventProtos.Summary(Seconds(_time), step, EventProtos.Text(tag + "/text_summary", markdown)));

    /// <summary>Says with which hyperparameters the run goes and which of its scalars to compare; each run is a row of the HPARAMS table.</summary>
    /// <param name="hyperparameters">Numbers, texts, and truth values (stored as 1 and 0, as PyTorch does).</param>
    /// <param name="metricTags">Tags of scalars, for example <c>eval/loss</c>.</param>
    /// <exception cref="ArgumentException">A value is neither number, text nor truth value.</exception>
    public void AddHyperparameters(IReadOnlyCollection<KeyValuePair<string, object>> hyperparameters, IEnumerable<string> metricTags)
    {
        Write(EventProtos.Summary(Seconds(_time), 0, HyperparameterProtos.Experiment(hyperparameters, metricTags)));
        Write(EventProtos.Summary(Seconds(_time), 0, HyperparameterProtos.SessionStart(hyperparameters)));
    }

    /// <summary>Marks the run of <see cref="AddHyperparameters"/> as ended.</summary>
    /// <param name="succeeded">False after a failure.</param>
    public void EndSession(bool succeeded = true) => Write(EventProtos.Summary(Seconds(_time), 0, HyperparameterProtos.SessionEnd(succeeded)));

    /// <summary>Makes what was written survive the machine too.</summary>
    public void Flush() => _file.FlushToDisk();

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Write(ProtoMessage message) => _file.Write(message.ToBytes());

    private static double Seconds(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    // TensorBoard reads the files of a folder in the order of their names: seconds first, then a counter for files of the same second.
    private static FileStream CreateFile(string folder, long seconds)
    {
        string host = string.Concat(Environment.MachineName.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
        for (int counter = 0; ; counter++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{seconds:0000000000}.{host}.{Environment.ProcessId}.{counter}");
            string path = Path.Combine(folder, name);
            if (!File.Exists(path))
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 0);
            }
        }
    }
}
