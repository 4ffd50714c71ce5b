using Banyan.Tokenizers.Models;
using System.Text.Json;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Characters of the byte alphabet back to bytes, and these to text; a token with another character stands for itself.</summary>
internal sealed class ByteLevelDecoder(bool addPrefixSpace = true, bool trimOffsets = true, bool useRegex = true) : Decoder
{
    public override string Type => "ByteLevel";

    public override List<string> Chain(List<string> tokens)
    {
        List<byte> bytes = [];
        foreach (string token in tokens)
        {
            Append(token, bytes);
        }
        return [Utf8Text.Decode([.. bytes])];
    }

    public override bool TryAppend(string token, List<byte> utf8)
    {
        Append(token, utf8);
        return true;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("add_prefix_space", addPrefixSpace);
        writer.WriteBoolean("trim_offsets", trimOffsets);
        writer.WriteBoolean("use_regex", useRegex);
    }

    private static void Append(string token, List<byte> bytes)
    {
        int before = bytes.Count;
        foreach (char c in token)
        {
            int b = ByteAlphabet.ByteOf(c);
            if (b < 0)
            {
                bytes.RemoveRange(before, bytes.Count - before);
                Utf8Text.Append(token, bytes);
                return;
            }
            bytes.Add((byte)b);
        }
    }
}
