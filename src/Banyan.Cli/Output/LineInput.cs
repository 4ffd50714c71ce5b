using RadLine;
using Spectre.Console;

namespace Banyan.Cli.Output;

/// <summary>Lines that a user types, with editing and history; of a pipe or a file, its lines.</summary>
internal sealed class LineInput
{
    private readonly LineEditor? _editor;

    public LineInput()
    {
        if (!Console.IsInputRedirected && !Console.IsOutputRedirected && LineEditor.IsSupported(AnsiConsole.Console))
        {
            _editor = new LineEditor { Prompt = new LineEditorPrompt("[bold]>[/]") };
            _editor.KeyBindings.Add<PreviousHistoryCommand>(ConsoleKey.UpArrow);
            _editor.KeyBindings.Add<NextHistoryCommand>(ConsoleKey.DownArrow);
        }
    }

    /// <summary>The next line, without white space around it, or null at the end.</summary>
    public string? Read(string prompt)
    {
        if (_editor is null)
        {
            if (!Console.IsInputRedirected)
            {
                Console.Error.Write(prompt);
            }
            return Console.In.ReadLine()?.Trim();
        }
        string? line = _editor.ReadLine(CancellationToken.None).GetAwaiter().GetResult()?.Trim();
        if (!string.IsNullOrEmpty(line))
        {
            _editor.History.Add(line);
        }
        return line;
    }
}
