using System.Buffers;
using System.Text.Json;
using Banyan.Checkpoints;

namespace Banyan.Training.Logging;

/// <summary>
/// Metrics as JSON lines, <c>{"step":10,"train/loss":2.5}</c>, one line for each call, in the file when the call returns. Numbers that JSON does
/// not have are the texts <c>"NaN"</c>, <c>"Infinity"</c> and <c>"-Infinity"</c>.
/// </summary>
/// <remarks>Not safe for concurrent callers.</remarks>
public sealed class MetricsLog : IDisposable
{
    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json;
    private long _lastStep = long.MinValue;

    private MetricsLog(FileStream file)
    {
        _file = file;
        _json = new Utf8JsonWriter(_line);
    }

    /// <summary>
    /// Opens a log to append to, or begins one. Lines of later steps than <paramref name="resumedStep"/> are cut off, for the resumed run will
    /// write them again, and so is a line that a killed process left half written.
    /// </summary>
    /// <param name="path">The file; its folder is created where it is missing.</param>
    /// <param name="resumedStep">The step of the checkpoint from which the run goes on; null keeps every line.</param>
    /// <exception cref="CheckpointException">A line before the cut is no JSON object with a step.</exception>
    public static MetricsLog Open(string path, long? resumedStep = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var log = new MetricsLog(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0));
        try
        {
            log.CutBehind(resumedStep ?? long.MaxValue);
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Appends a line.</summary>
    /// <param name="step">The step; never less than that of the line before.</param>
    /// <param name="values">Names and values.</param>
    public void Write(long step, params ReadOnlySpan<(string Name, double Value)> values)
    {
        if (step < _lastStep)
        {
            throw new ArgumentOutOfRangeException(nameof(step), step, $"{_file.Name} already holds step {_lastStep}; steps do not go back (open it with resumedStep)");
        }
        _lastStep = step;
        _line.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteNumber("step", step);
        foreach ((string name, double value) in values)
        {
            WriteValue(name, value);
        }
        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
        _file.Write(_line.WrittenSpan);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }

    private void WriteValue(string name, double value)
    {
        if (double.IsFinite(value))
        {
            _json.WriteNumber(name, value);
        }
        else
        {
            _json.WriteString(name, double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        }
    }

    private void CutBehind(long step)
    {
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        int keep = 0;
        for (int line = 1; bytes.AsSpan(keep).IndexOf((byte)'\n') is var length and >= 0; line++)
        {
            long found = ConfigReader.Parse(bytes.AsSpan(keep, length), $"{_file.Name} line {line}").GetLong("step");
            if (found > step)
            {
                break;
            }
            _lastStep = found;
            keep += length + 1;
        }
        _file.SetLength(keep);
        _file.Position = keep;
    }
}
