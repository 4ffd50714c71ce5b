using Banyan.Tokenizers.Text;
using System.Globalization;

namespace Banyan.Tokenizers.Patterns;

/// <summary>The character classes that the patterns of GPT-like tokenizers speak of, as bits of one table.</summary>
[Flags]
internal enum CharClass : byte
{
    None = 0,
    Letter = 1,          // \p{L}
    Number = 2,          // \p{N}
    Space = 4,           // \s
    LineEnd = 8,         // \r \n
    Mark = 16,           // \p{M}
    Upper = 32,          // Lu Lt Lm Lo M
    Lower = 64,          // Ll Lm Lo M
    Surrogate = 128,     // look at the code point
}

/// <summary>Looks classes up.</summary>
internal static class CharClasses
{
    private static readonly byte[] s_table = Build();

    /// <summary>The class of the code point at <paramref name="i"/> and how many units it takes.</summary>
    public static CharClass At(ReadOnlySpan<char> text, int i, out int width)
    {
        CharClass c = (CharClass)s_table[text[i]];
        width = 1;
        return c == CharClass.Surrogate ? Wide(text, i, out width) : c;
    }

    private static CharClass Wide(ReadOnlySpan<char> text, int i, out int width)
    {
        width = Runes.Decode(text, i, out int rune);
        return Classify(rune);
    }

    private static CharClass Classify(int rune) => Runes.Category(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharClass.Letter | CharClass.Upper,
        UnicodeCategory.LowercaseLetter => CharClass.Letter | CharClass.Lower,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharClass.Letter | CharClass.Upper | CharClass.Lower,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark =>
            CharClass.Mark | CharClass.Upper | CharClass.Lower,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharClass.Number,
        _ when rune is '\r' or '\n' => CharClass.Space | CharClass.LineEnd,
        _ when Runes.IsWhiteSpace(rune) => CharClass.Space,
        _ => CharClass.None,
    };

    private static byte[] Build()
    {
        byte[] table = new byte[0x10000];
        for (int c = 0; c < table.Length; c++)
        {
            table[c] = (byte)(char.IsSurrogate((char)c) ? CharClass.Surrogate : Classify(c));
        }
        return table;
    }
}
