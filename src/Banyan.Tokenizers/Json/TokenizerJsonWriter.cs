using Banyan.Tokenizers.Pipeline;
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Banyan.Tokenizers.Json;

/// <summary>Writes a tokenizer.json with Hugging Face's keys in their order.</summary>
internal static class TokenizerJsonWriter
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(Tokenizer tokenizer)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, s_options))
        {
            TokenizerParts parts = tokenizer.Parts;
            writer.WriteStartObject();
            writer.WriteString("version", "1.0");
            LengthsJson.Write(writer, tokenizer.Truncation);
            LengthsJson.Write(writer, tokenizer.Padding);
            WriteAddedTokens(writer, parts);
            WritePart(writer, "normalizer", parts.Normalizer, (p, w) => p.Write(w));
            WritePart(writer, "pre_tokenizer", parts.PreTokenizer, (p, w) => p.Write(w));
            WritePart(writer, "post_processor", parts.PostProcessor, (p, w) => p.Write(w));
            WritePart(writer, "decoder", parts.Decoder, (p, w) => p.Write(w));
            WritePart(writer, "model", parts.Model, (p, w) => p.Write(w));
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WritePart<T>(Utf8JsonWriter writer, string name, T? part, Action<T, Utf8JsonWriter> write)
        where T : class
    {
        if (part is null)
        {
            writer.WriteNull(name);
            return;
        }
        writer.WritePropertyName(name);
        write(part, writer);
    }

    private static void WriteAddedTokens(Utf8JsonWriter writer, TokenizerParts parts)
    {
        writer.WriteStartArray("added_tokens");
        foreach ((int id, AddedToken token) in parts.Added.Tokens.Select(p => (p.Key, p.Value)).Concat(parts.SavedTokens).OrderBy(p => p.Item1))
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", id);
            writer.WriteString("content", token.Content);
            writer.WriteBoolean("single_word", token.SingleWord);
            writer.WriteBoolean("lstrip", token.LStrip);
            writer.WriteBoolean("rstrip", token.RStrip);
            writer.WriteBoolean("normalized", token.Normalized);
            writer.WriteBoolean("special", token.Special);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
