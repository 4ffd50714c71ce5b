using System.Runtime.InteropServices;
using Banyan.Tokenizers.Decoders;

namespace Banyan.Tokenizers;

/// <summary>
/// Decodes tokens one by one, as a model makes them. A step gives the new text, or null while the last character is not
/// complete (the text so far ends in U+FFFD): half a character is never given. Byte-level and character tokenizers allocate
/// nothing but the text; others decode a window of the last tokens again. One stream serves one sequence; not thread-safe.
/// </summary>
public sealed class DecodeStream
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly Decoder? _bytewise;
    private readonly List<byte> _pending = []; // bytes of characters that are not given yet
    private readonly List<int> _ids = [];      // the window, where the decoder looks at neighbours
    private string _prefix = "";
    private int _prefixIndex;

    internal DecodeStream(Tokenizer tokenizer, IEnumerable<int> prefix, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);
        _bytewise = tokenizer.Parts.Decoder?.TryAppend("", _pending) == true ? tokenizer.Parts.Decoder : null;
        if (_bytewise is null)
        {
            _ids.AddRange(prefix);
            return;
        }
        foreach (int id in prefix)
        {
            Append(id);
        }
        TakePending();
    }

    /// <summary>Adds one token.</summary>
    /// <param name="id">Its id; an unknown id adds nothing.</param>
    /// <returns>The text that became complete, or null.</returns>
    public string? Step(int id)
    {
        if (_bytewise is null)
        {
            return StepWindow(id);
        }
        Append(id);
        return TakePending();
    }

    private void Append(int id)
    {
        if (_tokenizer.TextOf(id, _skipSpecialTokens) is { } text)
        {
            _bytewise!.TryAppend(text, _pending);
        }
    }

    /// <summary>The pending text, unless it is empty or ends in U+FFFD (which a part of a character gives).</summary>
    private string? TakePending()
    {
        ReadOnlySpan<byte> bytes = CollectionsMarshal.AsSpan(_pending);
        if (bytes.IsEmpty || EndsIncomplete(bytes))
        {
            return null;
        }
        string text = Utf8Text.Decode(bytes);
        _pending.Clear();
        return text;
    }

    private static bool EndsIncomplete(ReadOnlySpan<byte> bytes) =>
        System.Text.Rune.DecodeLastFromUtf8(bytes, out System.Text.Rune last, out _) != System.Buffers.OperationStatus.Done || last.Value == 0xFFFD;

    private string? StepWindow(int id)
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
