using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Pipeline;

/// <summary>The UTF-16 unit of each UTF-8 byte of a piece, asked in rising order.</summary>
internal ref struct ByteMap(ReadOnlySpan<char> piece)
{
    private readonly ReadOnlySpan<char> _piece = piece;
    private int _unit;
    private int _byte; // first byte of the character at _unit

    /// <summary>The first unit of the character that holds a byte; bytes beyond the piece belong to its last character.</summary>
    public int UnitOf(int position)
    {
        if (position < _byte)
        {
            (_unit, _byte) = (0, 0);
        }
        while (true)
        {
            int width = Runes.Decode(_piece, _unit, out int rune);
            int next = _byte + Runes.Utf8Length(rune);
            if (position < next || _unit + width >= _piece.Length)
            {
                return _unit;
            }
            (_unit, _byte) = (_unit + width, next);
        }
    }
}
