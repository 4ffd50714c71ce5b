using System.Buffers;
using System.Text;

namespace Banyan.Tokenizers.Text;

/// <summary>
/// Text on its way through normalizers and pre-tokenizers. Each UTF-16 unit knows the span of original code points
/// [start, end) that it came from, so that token offsets always speak of the text the user gave.
/// </summary>
internal sealed class AlignedText
{
    private char[] _chars;
    private int[] _starts;
    private int[] _ends;

    public AlignedText(int capacity, int origin)
    {
        int n = Math.Max(capacity, 4);
        (_chars, _starts, _ends) = (new char[n], new int[n], new int[n]);
        Origin = origin;
    }

    /// <summary>The original code point where this section of the text begins.</summary>
    public int Origin { get; }

    public int Length { get; private set; }

    public ReadOnlySpan<char> Span => _chars.AsSpan(0, Length);

    public int StartOf(int unit) => _starts[unit];

    public int EndOf(int unit) => _ends[unit];

    /// <summary>A section of the user's text; lone surrogates become U+FFFD. <paramref name="origin"/> counts code points.</summary>
    public static AlignedText FromOriginal(ReadOnlySpan<char> text, int origin)
    {
        AlignedText result = new(text.Length, origin);
        int at = origin;
        for (int i = 0; i < text.Length; at++)
        {
            i += Runes.Decode(text, i, out int rune);
            result.Append(rune, at, at + 1);
        }
        return result;
    }

    public void Append(int rune, int start, int end)
    {
        if (Length + 2 > _chars.Length)
        {
            Grow();
        }
        if (rune < 0x10000)
        {
            AppendUnit((char)rune, start, end);
            return;
        }
        AppendUnit((char)(0xD800 + ((rune - 0x10000) >> 10)), start, end);
        AppendUnit((char)(0xDC00 + ((rune - 0x10000) & 0x3FF)), start, end);
    }

    public void Append(AlignedText source, int from, int to)
    {
        for (int i = from; i < to;)
        {
            int width = Runes.Decode(source.Span, i, out int rune);
            Append(rune, source._starts[i], source._ends[i]);
            i += width;
        }
    }

    /// <summary>Drops what follows.</summary>
    public void Truncate(int length) => Length = length;

    public override string ToString() => Span.ToString();

    private void AppendUnit(char c, int start, int end)
    {
        _chars[Length] = c;
        _starts[Length] = start;
        _ends[Length++] = end;
    }

    private void Grow()
    {
        int n = checked(_chars.Length * 2);
        Array.Resize(ref _chars, n);
        Array.Resize(ref _starts, n);
        Array.Resize(ref _ends, n);
    }
}
