using System.Text.Json;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Connectionist temporal classification (speech): repeated tokens count once, then padding vanishes.</summary>
internal sealed class CtcDecoder(string padToken, string wordDelimiterToken, bool cleanup) : Decoder
{
    public override string Type => "CTC";

    public override List<string> Chain(List<string> tokens)
    {
        List<string> result = [];
        for (int i = 0; i < tokens.Count; i++)
        {
            if (i > 0 && tokens[i] == tokens[i - 1])
            {
                continue;
            }
            string text = Without(tokens[i], padToken, "");
            text = cleanup ? Without(EnglishSpaces.Clean(text), wordDelimiterToken, " ") : text;
            if (text.Length > 0)
            {
                result.Add(text);
            }
        }
        return result;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteString("pad_token", padToken);
        writer.WriteString("word_delimiter_token", wordDelimiterToken);
        writer.WriteBoolean("cleanup", cleanup);
    }

    private static string Without(string text, string part, string replacement) =>
        part.Length == 0 ? text : text.Replace(part, replacement, StringComparison.Ordinal);
}
