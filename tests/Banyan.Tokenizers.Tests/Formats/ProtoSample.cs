using System.Buffers.Binary;

namespace Banyan.Tokenizers.Tests.Formats;

/// <summary>Writes small SentencePiece models, so that tests need no file.</summary>
internal static class ProtoSample
{
    public const int Unigram = 1, Bpe = 2;

    /// <summary>A model of the letters a to z, U+2581 and a few words; the last piece is user-defined.</summary>
    public static byte[] Model(int type, bool byteFallback)
    {
        List<byte> model = [];
        Piece(model, "<unk>", 0, 2);
        Piece(model, "<s>", 0, 3);
        Piece(model, "</s>", 0, 3);
        for (int b = 0; byteFallback && b < 256; b++)
        {
            Piece(model, $"<0x{b:X2}>", 0, 6);
        }
        string[] words = ["▁", .. Enumerable.Range('a', 26).Select(c => ((char)c).ToString()), "he", "ll", "hell", "hello", "▁w", "or", "▁wor", "ld"];
        for (int i = 0; i < words.Length; i++)
        {
            Piece(model, words[i], -1 - (0.25f * i), 1);
        }
        Piece(model, "<sep>", 0, 4);
        Bytes(model, 2, [0x18, (byte)type, 0xC0, 0x02, 0x00, 0x98, 0x02, (byte)(byteFallback ? 1 : 0)]);
        Bytes(model, 3, [0x18, 1, 0x20, (byte)(byteFallback ? 0 : 1), 0x28, 1]);
        return [.. model];
    }

    private static void Piece(List<byte> model, string text, float score, int type)
    {
        List<byte> piece = [];
        Bytes(piece, 1, System.Text.Encoding.UTF8.GetBytes(text));
        byte[] number = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(number, score);
        piece.AddRange([0x15, .. number, 0x18, (byte)type]);
        Bytes(model, 1, [.. piece]);
    }

    private static void Bytes(List<byte> message, int field, byte[] bytes)
    {
        message.AddRange([(byte)((field << 3) | 2), (byte)bytes.Length]); // all are shorter than 128
        message.AddRange(bytes);
    }
}
