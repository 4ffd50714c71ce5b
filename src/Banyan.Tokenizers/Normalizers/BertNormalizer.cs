using Banyan.Tokenizers.Text;
using System.Globalization;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>BERT: removes control characters, sets Chinese characters apart, strips accents and lowers case.</summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChineseChars, bool? stripAccents, bool lowercase) : Normalizer
{
    private static readonly CharNormalizer s_clean = new("", Clean);
    private static readonly CharNormalizer s_chinese = new("", SetApart);
    private static readonly CharNormalizer s_accents =
        new("", CharNormalizer.Keep(r => Runes.Category(r) != UnicodeCategory.NonSpacingMark));
    private static readonly CharNormalizer s_lower = CharNormalizer.Lowercase();
    private static readonly UnicodeForm s_nfd = new(compatible: false, compose: false);

    public override string Type => "BertNormalizer";

    public override AlignedText Normalize(AlignedText text)
    {
        text = cleanText ? s_clean.Normalize(text) : text;
        text = handleChineseChars ? s_chinese.Normalize(text) : text;
        text = stripAccents ?? lowercase ? s_accents.Normalize(s_nfd.Normalize(text)) : text;
        return lowercase ? s_lower.Normalize(text) : text;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("clean_text", cleanText);
        writer.WriteBoolean("handle_chinese_chars", handleChineseChars);
        if (stripAccents is { } strip)
        {
            writer.WriteBoolean("strip_accents", strip);
        }
        else
        {
            writer.WriteNull("strip_accents");
        }
        writer.WriteBoolean("lowercase", lowercase);
    }

    private static void Clean(int rune, ref Rewriter writer)
    {
        bool space = rune is '\t' or '\n' or '\r' || Runes.IsWhiteSpace(rune);
        bool drop = rune is 0 or Runes.Replacement || (rune is not ('\t' or '\n' or '\r') && IsOther(rune));
        if (!drop)
        {
            writer.Replace(space ? ' ' : rune);
        }
    }

    private static bool IsOther(int rune) => Runes.Category(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse;

    private static void SetApart(int rune, ref Rewriter writer)
    {
        if (!IsChinese(rune))
        {
            writer.Replace(rune);
            return;
        }
        writer.Replace(' ');
        writer.Insert(rune);
        writer.Insert(' ');
    }

    private static bool IsChinese(int rune) => rune is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF)
        or (>= 0x2F800 and <= 0x2FA1F);
}
