using System.Buffers.Text;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// OpenAI's vocabulary files, which Llama 3 uses too: one line for each token, its bytes in base64, a space, its rank, which is its id.
/// </summary>
internal static class Tiktoken
{
    private const int MaxLine = 4 * PieceMerges.MaxLength;

    /// <summary>True when the first line is base64 and a number.</summary>
    public static bool LooksLike(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> rest = bytes.TrimStart("\r\n\uFEFF"u8);
        int end = rest.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = rest[..Math.Min(end < 0 ? rest.Length : end, MaxLine)].TrimEnd((byte)'\r');
        int space = line.IndexOf((byte)' ');
        return space > 0 && Base64.IsValid(line[..space]) && Utf8Parser.TryParse(line[(space + 1)..], out uint _, out int used) && used == line.Length - space - 1;
    }

    public static TokenizerParts Read(byte[] bytes, string file, TiktokenEncoding encoding)
    {
        Dictionary<string, int> ids = ReadRanks(bytes, file);
        Dictionary<string, int> ranked = new(ids);
        AddSpecial(ids, encoding, file);
        Vocabulary vocabulary = new(ids);
        CheckAlphabet(vocabulary, file);
        Bpe model = PieceMerges.Build(vocabulary, ranked, new() { IgnoreMerges = true }, new(default, "", file));
        TokenizerParts parts = VocabularyAndMerges.ByteLevel(model, [encoding.Pattern ?? KnownPatterns.Gpt2]);
        parts.Added.Add([.. encoding.SpecialTokens.Select(t => new AddedToken(t.Token, Special: true))]);
        return parts;
    }

    /// <summary>Special tokens stand in the vocabulary, so that a tokenizer.json keeps their ids; no merge makes them.</summary>
    private static void AddSpecial(Dictionary<string, int> ids, TiktokenEncoding encoding, string file)
    {
        HashSet<int> taken = [.. ids.Values];
        foreach ((string token, int id) in encoding.SpecialTokens)
        {
            if (taken.Contains(id) || !ids.TryAdd(token, id))
            {
                throw new TokenizerFormatException(
                    file, $"rank {id}", $"found a token of the file, expected {token} to have this id alone: the file does not belong to its name");
            }
        }
    }

    private static Dictionary<string, int> ReadRanks(byte[] bytes, string file)
    {
        Dictionary<string, int> ids = [];
        HashSet<int> used = [];
        int number = 0;
        foreach (Range range in bytes.AsSpan().TrimStart("\uFEFF"u8).Split((byte)'\n'))
        {
            number++;
            ReadOnlySpan<byte> line = bytes.AsSpan().TrimStart("\uFEFF"u8)[range].TrimEnd((byte)'\r');
            if (line.IsEmpty)
            {
                continue;
            }
            JsonView where = new(default, $"line {number}", file);
            (string token, int rank) = ReadLine(line, where);
            if (!ids.TryAdd(token, rank))
            {
                throw where.Error($"the token of rank {rank} was there before with rank {ids[token]}");
            }
            if (!used.Add(rank))
            {
                throw where.Error($"found the rank {rank} a second time, expected every token to have its own");
            }
        }
        return ids.Count > 0 ? ids : throw new TokenizerFormatException(file, "", "found no line, expected tokens in base64 with their ranks");
    }

    private static (string Token, int Rank) ReadLine(ReadOnlySpan<byte> line, JsonView where)
    {
        int space = line.IndexOfAny((byte)' ', (byte)'\t');
        ReadOnlySpan<byte> base64 = line[..Math.Max(space, 0)];
        if (base64.IsEmpty || base64.Length > MaxLine || !Base64.IsValid(base64, out int length) || length == 0)
        {
            throw where.Error("expected a token's bytes in base64, a space and its rank");
        }
        if (!Utf8Parser.TryParse(line[(space + 1)..], out int rank, out int used) || used != line.Length - space - 1 || rank is < 0 or int.MaxValue)
        {
            throw where.Error($"found the rank \"{System.Text.Encoding.UTF8.GetString(line[(space + 1)..Math.Min(line.Length, space + 20)])}\", expected a whole number below 2147483647");
        }
        byte[] bytes = new byte[length];
        Base64.DecodeFromUtf8(base64, bytes, out _, out int written);
        return (ByteAlphabet.Write(bytes.AsSpan(0, written)), rank);
    }

    /// <summary>Without a token for each byte some texts could not be encoded.</summary>
    private static void CheckAlphabet(Vocabulary vocabulary, string file)
    {
        for (int b = 0; b < 256; b++)
        {
            if (vocabulary.IdOf([ByteAlphabet.CharOf((byte)b)]) < 0)
            {
                throw new TokenizerFormatException(file, "", $"the byte 0x{b:X2} is not a token, expected all 256 bytes: the file was cut off or is not tiktoken's");
            }
        }
    }
}
