namespace Banyan.Tokenizers.Text;

/// <summary>
/// Writes a changed copy of a text while keeping alignments, by the rule of Hugging Face's <c>NormalizedString</c>:
/// a written code point either replaces the next source code point, or was inserted and shares the span before it.
/// </summary>
internal ref struct Rewriter(AlignedText source, int position = 0)
{
    private int _position = position;

    public AlignedText Output { get; } = new(source.Length + 8, source.Origin);

    /// <summary>Writes a code point that stands for the next source code point and for <paramref name="alsoRemoved"/> after it.</summary>
    public void Replace(int rune, int alsoRemoved = 0)
    {
        if (_position >= source.Length)
        {
            Insert(rune);
            return;
        }
        Output.Append(rune, source.StartOf(_position), source.EndOf(_position));
        for (int i = 0; i <= alsoRemoved && _position < source.Length; i++)
        {
            _position += Runes.Width(source.Span, _position);
        }
    }

    /// <summary>Writes a code point that has no source of its own.</summary>
    public readonly void Insert(int rune)
    {
        if (_position == 0)
        {
            Output.Append(rune, source.Origin, source.Origin);
            return;
        }
        Output.Append(rune, source.StartOf(_position - 1), source.EndOf(_position - 1));
    }

    /// <summary>Writes one code point with its change: 0 replaces, above 0 inserts, below 0 replaces and removes more.</summary>
    public void Write(int rune, int change)
    {
        if (change > 0)
        {
            Insert(rune);
        }
        else
        {
            Replace(rune, -change);
        }
    }

    /// <summary>Copies the next source code points up to unit <paramref name="end"/>.</summary>
    public void CopyTo(int end)
    {
        Output.Append(source, _position, end);
        _position = end;
    }

    /// <summary>Drops so many source code points.</summary>
    public void Remove(int count)
    {
        for (int i = 0; i < count && _position < source.Length; i++)
        {
            _position += Runes.Width(source.Span, _position);
        }
    }

    /// <summary>Drops the source up to unit <paramref name="end"/>.</summary>
    public void SkipTo(int end) => _position = end;
}
