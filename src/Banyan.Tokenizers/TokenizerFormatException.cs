namespace Banyan.Tokenizers;

/// <summary>
/// A tokenizer file does not say what it must. The message names the file, the key, what was found and what was expected.
/// </summary>
public sealed class TokenizerFormatException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="file">The file that is wrong (or a word for where the text came from).</param>
    /// <param name="key">The key or line inside it, e.g. <c>model.vocab</c>.</param>
    /// <param name="problem">What was found, what was expected, and what helps.</param>
    /// <param name="inner">The error below, if any.</param>
    public TokenizerFormatException(string file, string key, string problem, Exception? inner = null)
        : base(key.Length == 0 ? $"{file}: {problem}" : $"{file}: {key}: {problem}", inner)
    {
        File = file;
        Key = key;
    }

    /// <summary>The file that is wrong.</summary>
    public string File { get; }

    /// <summary>The key or line inside the file; empty when the file as a whole is wrong.</summary>
    public string Key { get; }
}
