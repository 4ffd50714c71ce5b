using System.Buffers.Binary;
using System.Globalization;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// The tokenizer.bin of llama2.c: int32 length of the longest token, then for each token float32 score, int32 length, bytes.
/// It is Llama 2's SentencePiece model with spaces written as spaces: ids 0, 1, 2 are unknown, begin and end, 3 to 258 the bytes.
/// </summary>
internal static class Llama2cTokenizer
{
    private const int FirstByte = 3, Reserved = FirstByte + 256;

    private const string Bos = "<s>";

    public static TokenizerParts Read(byte[] bytes, string file)
    {
        SentencePieceProto proto = SentencePieceProto.Of(SentencePieceProto.Bpe, ReadPieces(bytes, file));
        TokenizerParts parts = SentencePieceReader.Build(proto, new(default, "tokens", file));
        parts.PostProcessor = TemplateProcessor.Around(Bos, null, parts.Model.TokenToId);
        return parts;
    }

    private static List<SentencePiece> ReadPieces(byte[] bytes, string file)
    {
        List<SentencePiece> pieces = [];
        for (int at = sizeof(int); at < bytes.Length;)
        {
            TokenizerFormatException Wrong(string problem) => new(file, $"token {pieces.Count}", problem);
            if (bytes.Length - at < 8)
            {
                throw Wrong($"found {bytes.Length - at} bytes, expected a score and a length: the file was cut off");
            }
            float score = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(at));
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            at += 8;
            if (length < 0 || length > bytes.Length - at)
            {
                throw Wrong($"found the length {length}, expected 0 to {bytes.Length - at}, the bytes that remain: not a tokenizer.bin of llama2.c");
            }
            pieces.Add(Piece(pieces.Count, System.Text.Encoding.UTF8.GetString(bytes, at, length), score));
            at += length;
        }
        return pieces.Count >= Reserved
            ? pieces
            : throw new TokenizerFormatException(file, "", $"found {pieces.Count} tokens, expected at least {Reserved}: not a tokenizer.bin of llama2.c");
    }

    /// <summary>The first tokens have a fixed meaning, however the file writes them.</summary>
    private static SentencePiece Piece(int id, string text, float score) => id switch
    {
        0 => new("<unk>", score, PieceType.Unknown),
        1 => new(Bos, score, PieceType.Control),
        2 => new("</s>", score, PieceType.Control),
        < Reserved => new(string.Create(CultureInfo.InvariantCulture, $"<0x{id - FirstByte:X2}>"), score, PieceType.Byte),
        _ => new(text.Replace(' ', Normalizers.SentencePieceNormalizer.Visible), score, PieceType.Normal),
    };
}
