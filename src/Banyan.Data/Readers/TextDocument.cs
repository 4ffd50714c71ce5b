namespace Banyan.Data.Readers;

/// <summary>A text and where it came from.</summary>
/// <param name="Text">The text.</param>
/// <param name="Path">The file.</param>
/// <param name="Number">Which document of the file, from 0.</param>
public readonly record struct TextDocument(string Text, string Path, long Number);
