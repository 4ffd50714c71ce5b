using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>Moves offsets off the spaces at the ends of byte-level tokens; adds nothing.</summary>
internal sealed class ByteLevelProcessor(bool addPrefixSpace, bool trimOffsets, bool useRegex) : PostProcessor
{
    public override string Type => "ByteLevel";

    public override int AddedTokens(bool pair) => 0;

    public override List<Encoding> Process(List<Encoding> encodings, bool addSpecialTokens)
    {
        foreach (Encoding e in encodings)
        {
            if (trimOffsets)
            {
                Trim(e, addPrefixSpace);
                e.Overflowing.ToList().ForEach(o => Trim(o, addPrefixSpace));
            }
        }
        for (int i = 0; i < encodings.Count; i++)
        {
            int sequence = i;
            EncodingParts.Rewrite(encodings[i], t => t with { Sequence = sequence });
        }
        return encodings;
    }

    public static void Trim(Encoding encoding, bool addPrefixSpace)
    {
        for (int i = 0; i < encoding.Items.Count; i++)
        {
            encoding.Items[i] = Trim(encoding.Items[i], addPrefixSpace && (i == 0 || encoding.Items[i].Start == 0));
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("add_prefix_space", addPrefixSpace);
        writer.WriteBoolean("trim_offsets", trimOffsets);
        writer.WriteBoolean("use_regex", useRegex);
    }

    private static EncodedToken Trim(EncodedToken token, bool keepOne)
    {
        int leading = 0, trailing = 0;
        while (leading < token.Token.Length && IsSpace(token.Token[leading]))
        {
            leading++;
        }
        while (trailing < token.Token.Length && IsSpace(token.Token[^(trailing + 1)]))
        {
            trailing++;
        }
        (int start, int end) = (token.Start, token.End);
        if (leading > 0)
        {
            // One space may be the one that was put before the text; of several none was.
            start = Math.Min(start + (keepOne && leading == 1 ? 0 : leading), end);
        }
        if (trailing > 0 && end >= trailing)
        {
            end = Math.Max(end - trailing, start);
        }
        return token with { Start = start, End = end };
    }

    private static bool IsSpace(char c) => c == ByteAlphabet.CharOf((byte)' ') || Runes.IsWhiteSpace(c);
}
