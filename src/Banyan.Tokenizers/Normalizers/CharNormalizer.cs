using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.PreTokenizers;
using Banyan.Tokenizers.Text;
using System.Globalization;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>Normalizers that look at one code point at a time: each becomes nothing, one or several code points.</summary>
internal sealed class CharNormalizer(string type, CharNormalizer.Rewrite rewrite, bool keepsAsciiLower = false) : Normalizer
{
    /// <summary>Writes what the code point becomes. The first that is written replaces it, more are inserted; none removes it.</summary>
    public delegate void Rewrite(int rune, ref Rewriter writer);

    public override string Type => type;

    public static CharNormalizer Lowercase() => new("Lowercase", WriteLower);

    public static CharNormalizer StripAccents() => new("StripAccents", Keep(r => !IsMark(r)), keepsAsciiLower: true);

    public static CharNormalizer Nmt() => new("Nmt", WriteNmt);

    public static CharNormalizer ByteLevel() => new("ByteLevel", WriteBytes);

    public override AlignedText Normalize(AlignedText text)
    {
        Rewriter writer = new(text);
        for (int i = 0; i < text.Length;)
        {
            int end = i + Runes.Decode(text.Span, i, out int rune);
            rewrite(rune, ref writer);
            writer.SkipTo(end);
            i = end;
        }
        return writer.Output;
    }

    public override bool IsUnchanged(ReadOnlySpan<char> text) => keepsAsciiLower && !text.ContainsAnyExceptInRange('\0', '\u007F');

    protected override void WriteFields(System.Text.Json.Utf8JsonWriter writer)
    {
    }

    /// <summary>A rewrite that drops what does not fit.</summary>
    public static Rewrite Keep(Func<int, bool> keep) => (int rune, ref Rewriter writer) =>
    {
        if (keep(rune))
        {
            writer.Replace(rune);
        }
    };

    public static void WriteLower(int rune, ref Rewriter writer)
    {
        writer.Replace(Runes.ToLower(rune, out int second));
        if (second != 0)
        {
            writer.Insert(second);
        }
    }

    private static bool IsMark(int rune) =>
        Runes.Category(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    /// <summary>SentencePiece's nmt rules: controls vanish, other space-like characters become spaces.</summary>
    private static void WriteNmt(int rune, ref Rewriter writer)
    {
        if (rune is (>= 1 and <= 8) or 0xB or (>= 0xE and <= 0x1F) or 0x7F or 0x8F or 0x9F)
        {
            return;
        }
        bool space = rune is 9 or 0xA or 0xC or 0xD or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD;
        writer.Replace(space ? ' ' : rune);
    }

    private static void WriteBytes(int rune, ref Rewriter writer)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = new System.Text.Rune(rune).EncodeToUtf8(bytes);
        writer.Replace(ByteAlphabet.CharOf(bytes[0]));
        foreach (byte b in bytes[1..count])
        {
            writer.Insert(ByteAlphabet.CharOf(b));
        }
    }
}
