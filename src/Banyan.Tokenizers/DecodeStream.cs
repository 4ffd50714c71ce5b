namespace Banyan.Tokenizers;

/// <summary>
/// Decodes tokens one by one, as a model makes them. A step gives the new text, or null while the last character is not
/// complete (the text so far ends in U+FFFD): half a character is never given. One stream serves one sequence; not thread-safe.
/// </summary>
public sealed class DecodeStream
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly List<int> _ids;
    private string _prefix = "";
    private int _prefixIndex;

    internal DecodeStream(Tokenizer tokenizer, IEnumerable<int> prefix, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens, _ids) = (tokenizer, skipSpecialTokens, [.. prefix]);
    }

    /// <summary>Adds one token.</summary>
    /// <param name="id">Its id; an unknown id adds nothing.</param>
    /// <returns>The text that became complete, or null.</returns>
    public string? Step(int id)
    {
        if (_prefix.Length == 0 && _ids.Count > 0)
        {
            string before = Decode();
            if (!before.EndsWith('\uFFFD'))
            {
                (_prefix, _prefixIndex) = (before, _ids.Count);
            }
        }
        _ids.Add(id);
        string text = Decode();
        if (text.EndsWith('\uFFFD') || !IsLonger(text, _prefix))
        {
            return null;
        }
        if (!text.StartsWith(_prefix, StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"the decoder rewrote text that was given already (\"{_prefix}\" became \"{text}\"): this tokenizer cannot decode in steps");
        }
        string added = text[_prefix.Length..];
        int kept = _ids.Count - _prefixIndex;
        _ids.RemoveRange(0, _prefixIndex);
        (_prefix, _prefixIndex) = (Decode(), kept);
        return added;
    }

    private static bool IsLonger(string text, string prefix) =>
        System.Text.Encoding.UTF8.GetByteCount(text) > System.Text.Encoding.UTF8.GetByteCount(prefix);

    private string Decode() => _tokenizer.Decode(_ids, _skipSpecialTokens);
}
