using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>GPT-2's pre-tokenizer: cuts by its pattern, then writes every byte of UTF-8 as one printable character.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool trimOffsets, bool useRegex) : PreTokenizer
{
    private static readonly Gpt2Matcher s_matcher = new();

    public override string Type => "ByteLevel";

    public bool AddPrefixSpace => addPrefixSpace;

    public bool UseRegex => useRegex;

    protected override void Split(Piece piece, List<Piece> output)
    {
        if (addPrefixSpace && piece.Span[0] != ' ')
        {
            AlignedText prefixed = Prepend.Write(piece.ToText(), " ");
            piece = new(prefixed, 0, prefixed.Length);
        }
        for (int i = piece.Start; i < piece.End;)
        {
            int end = useRegex ? piece.Start + s_matcher.Match(piece.Span, i - piece.Start) : piece.End;
            AlignedText bytes = ToBytes(new(piece.Text, i, end));
            output.Add(new(bytes, 0, bytes.Length));
            i = end;
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("add_prefix_space", addPrefixSpace);
        writer.WriteBoolean("trim_offsets", trimOffsets);
        writer.WriteBoolean("use_regex", useRegex);
    }

    /// <summary>Every byte as one character of the byte alphabet, with the span of the character that it belongs to.</summary>
    public static AlignedText ToBytes(Piece piece)
    {
        AlignedText result = new(piece.Length * 2, piece.Origin);
        Span<byte> bytes = stackalloc byte[4];
        ReadOnlySpan<char> text = piece.Text.Span;
        for (int i = piece.Start; i < piece.End;)
        {
            int width = Runes.Decode(text, i, out int rune);
            int count = new System.Text.Rune(rune).EncodeToUtf8(bytes);
            foreach (byte b in bytes[..count])
            {
                result.Append(ByteAlphabet.CharOf(b), piece.Text.StartOf(i), piece.Text.EndOf(i));
            }
            i += width;
        }
        return result;
    }
}
