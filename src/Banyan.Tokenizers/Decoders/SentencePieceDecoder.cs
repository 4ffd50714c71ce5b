using System.Text;
using System.Text.Json;
using Banyan.Tokenizers.Formats;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Patterns;

namespace Banyan.Tokenizers.Decoders;

/// <summary>
/// SentencePiece's way back to text: visible spaces become spaces, the one that was put before the text goes, bytes are read as
/// UTF-8 (one U+FFFD for each byte that is not), the unknown piece shows its surface. Written as Hugging Face's sequence.
/// </summary>
internal sealed class SentencePieceDecoder(SentencePieceProto proto, string unkPiece) : Decoder
{
    private readonly string _visible = SentencePieceNormalizer.Visible.ToString();

    public override string Type => "Sequence";

    public override List<string> Chain(List<string> tokens)
    {
        StringBuilder text = new();
        List<byte> bytes = [];
        bool atStart = proto.AddDummyPrefix || proto.RemoveExtraWhitespaces;
        foreach (string token in tokens)
        {
            if (proto.ByteFallback && ByteFallbackDecoder.TryByte(token, out byte b))
            {
                bytes.Add(b);
                continue;
            }
            Flush(bytes, text);
            atStart &= text.Length == 0;
            bool trims = atStart && token.StartsWith(_visible, StringComparison.Ordinal);
            text.Append(token == unkPiece ? proto.UnkSurface : token[(trims ? 1 : 0)..].Replace(_visible, " ", StringComparison.Ordinal));
            atStart &= proto.RemoveExtraWhitespaces || !trims;
        }
        Flush(bytes, text);
        return [text.ToString()];
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("decoders");
        foreach (Decoder part in Equivalent())
        {
            part.Write(writer);
        }
        writer.WriteEndArray();
    }

    private List<Decoder> Equivalent()
    {
        List<Decoder> parts = [TokenDecoder.Replace(TextPattern.Fixed(unkPiece), proto.UnkSurface), TokenDecoder.Replace(TextPattern.Fixed(_visible), " ")];
        if (proto.ByteFallback)
        {
            parts.Add(new ByteFallbackDecoder());
        }
        parts.Add(new FuseDecoder());
        if (proto.AddDummyPrefix || proto.RemoveExtraWhitespaces)
        {
            parts.Add(TokenDecoder.Strip(" ", 1, 0));
        }
        return parts;
    }

    private static void Flush(List<byte> bytes, StringBuilder text)
    {
        ReadOnlySpan<byte> rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        while (!rest.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(rest, out Rune rune, out int used) == System.Buffers.OperationStatus.Done;
            text.Append(valid ? rune.ToString() : "\uFFFD");
            rest = rest[(valid ? used : 1)..];
        }
        bytes.Clear();
    }
}
