using System.Globalization;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Runs of byte tokens (<c>&lt;0xE4&gt;</c>) back to text; a run that is not UTF-8 gives one U+FFFD for each byte.</summary>
internal sealed class ByteFallbackDecoder : Decoder
{
    public override string Type => "ByteFallback";

    public override List<string> Chain(List<string> tokens)
    {
        List<string> result = new(tokens.Count);
        List<byte> bytes = [];
        foreach (string token in tokens)
        {
            if (TryByte(token, out byte b))
            {
                bytes.Add(b);
                continue;
            }
            Flush(bytes, result);
            result.Add(token);
        }
        Flush(bytes, result);
        return result;
    }

    public static bool TryByte(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static void Flush(List<byte> bytes, List<string> result)
    {
        if (bytes.Count > 0)
        {
            result.Add(Utf8Text.DecodeOrNull([.. bytes]) ?? new string('\uFFFD', bytes.Count));
            bytes.Clear();
        }
    }
}
