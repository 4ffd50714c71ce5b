namespace Banyan.Checkpoints;

/// <summary>A checkpoint, configuration or index file that cannot be used as it is. The message names the file, what was found and the remedy.</summary>
public sealed class CheckpointException : Exception
{
    /// <summary>Creates the error <c>path: problem</c>.</summary>
    /// <param name="path">The file or folder at fault.</param>
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public CheckpointException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner)
    {
        Path = path;
    }

    /// <summary>The file or folder at fault.</summary>
    public string Path { get; }

    // Names and texts from a file may be long or unprintable: messages show a readable beginning.
    internal static string Quote(string text)
    {
        var shown = new System.Text.StringBuilder("\"");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, 120)))
        {
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c);
        }
        return shown.Append(text.Length > 120 ? "...\"" : "\"").ToString();
    }
}
