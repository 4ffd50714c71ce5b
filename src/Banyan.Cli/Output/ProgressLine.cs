using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Banyan.Cli.Output;

/// <summary>Progress of long work on standard error: a bar that is drawn again in place, or plain lines.</summary>
internal sealed class ProgressLine(string what, long total, bool isTerminal) : IDisposable
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(100), s_line = TimeSpan.FromSeconds(10);

    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _shown = TimeSpan.MinValue;
    private long _first = -1;
    private bool _drawn;

    /// <summary>Shows how far the work is, and a few words about it.</summary>
    public void Report(long done, string details)
    {
        _first = _first < 0 ? done - 1 : _first;
        TimeSpan now = _clock.Elapsed;
        if (done < total && _shown != TimeSpan.MinValue && now - _shown < (isTerminal ? s_redraw : s_line))
        {
            return;
        }
        _shown = now;
        double rate = (done - _first) / Math.Max(now.TotalSeconds, 1e-9);
        string left = TimeSpan.FromSeconds((total - done) / Math.Max(rate, 1e-9)).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
        string line = string.Create(CultureInfo.InvariantCulture, $"{what} {done}/{total}  {details}  {rate:F2}/s  {left} left");
        if (!isTerminal)
        {
            Console.Error.WriteLine(line);
            return;
        }
        int filled = (int)(20 * done / Math.Max(total, 1));
        _console.Markup($"\r[green]{new string('━', filled)}[/][grey]{new string('━', 20 - filled)}[/] {Markup.Escape(line)}\x1b[K");
        _drawn = true;
    }

    /// <summary>Ends the bar's line, so that other text can follow.</summary>
    public void Break()
    {
        if (_drawn)
        {
            Console.Error.WriteLine();
            _drawn = false;
        }
    }

    public void Dispose() => Break();
}
