using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// Turns a SentencePiece model into the stages of a tokenizer. Ids and text are SentencePiece's; control pieces are special tokens,
/// found in a text unless <see cref="Tokenizer.EncodeSpecialTokens"/> is set. As the field does, the begin piece is put before a
/// text, or, where there is none (T5), the end piece behind it; tokenizer_config.json may say otherwise.
/// </summary>
internal static class SentencePieceReader
{
    private const int MaxUnigramPiece = PieceMerges.MaxLength;

    public static TokenizerParts Read(byte[] bytes, string file, TokenizerConfig config)
    {
        try
        {
            SentencePieceProto proto = SentencePieceProto.Parse(bytes);
            TokenizerParts parts = Build(proto, new(default, "pieces", file));
            parts.PostProcessor = Frame(proto, parts, config);
            SetRole(config, "bos_token", proto.BosPiece, parts);
            SetRole(config, "eos_token", proto.EosPiece, parts);
            SetRole(config, "pad_token", proto.PadPiece, parts);
            return parts;
        }
        catch (InvalidDataException e)
        {
            throw new TokenizerFormatException(file, "", $"not a SentencePiece model: {e.Message}", e);
        }
    }

    /// <summary>All stages but the post-processor.</summary>
    public static TokenizerParts Build(SentencePieceProto proto, JsonView where)
    {
        Vocabulary vocabulary = Check(proto, where);
        string unk = proto.Pieces.Find(p => p.Type == PieceType.Unknown)!.Text;
        CharTrie userDefined = new();
        for (int i = 0; i < proto.Pieces.Count; i++)
        {
            if (proto.Pieces[i].Type == PieceType.UserDefined)
            {
                userDefined.Add(proto.Pieces[i].Text, i);
            }
        }
        CharsMap? map = proto.CharsMap.Length == 0 ? null : CharsMap.Parse(proto.CharsMap);
        TokenModel model = proto.ModelType switch
        {
            SentencePieceProto.Unigram => SentencePieceUnigram(proto, vocabulary.IdOf(unk)),
            SentencePieceProto.Word => throw where.Error("found a word model, known are unigram, BPE and char models"),
            _ => BytePairs(proto, vocabulary, unk, userDefined, where),
        };
        TokenizerParts parts = new(model, new SentencePieceNormalizer(proto, map, userDefined))
        {
            Decoder = new SentencePieceDecoder(proto, unk),
            SavedTokens = [.. proto.Pieces.Index().Where(p => p.Item.Type == PieceType.UserDefined).Select(p => (p.Index, new AddedToken(p.Item.Text)))],
        };
        parts.Added.Add([.. proto.Pieces.Where(p => p.Type == PieceType.Control).Select(p => new AddedToken(p.Text, Special: true))]);
        return parts;
    }

    private static Bpe BytePairs(SentencePieceProto proto, Vocabulary vocabulary, string unk, CharTrie userDefined, JsonView where)
    {
        Dictionary<string, int> merging = proto.ModelType == SentencePieceProto.Bpe ? Ranks(proto.Pieces.FindAll(p => p.Type == PieceType.Normal)) : [];
        BpeOptions options = new() { UnkToken = unk, FuseUnk = true, ByteFallback = proto.ByteFallback, UserDefined = userDefined.IsEmpty ? null : userDefined };
        return PieceMerges.Build(vocabulary, merging, options, where);
    }

    /// <summary>The piece of the best score has rank 0; equal scores have equal ranks.</summary>
    private static Dictionary<string, int> Ranks(List<SentencePiece> pieces)
    {
        SentencePiece[] best = [.. pieces];
        Array.Sort(best, static (a, b) => b.Score.CompareTo(a.Score));
        Dictionary<string, int> ranks = new(best.Length);
        for (int i = 0, rank = -1; i < best.Length; i++)
        {
            rank += i == 0 || best[i].Score != best[i - 1].Score ? 1 : 0;
            ranks[best[i].Text] = rank;
        }
        return ranks;
    }

    /// <summary>A user-defined piece is taken wherever it stands: it costs what its length in the best pieces would.</summary>
    private static Unigram SentencePieceUnigram(SentencePieceProto proto, int unk)
    {
        IEnumerable<float> normal = proto.Pieces.Where(p => p.Type == PieceType.Normal).Select(p => p.Score).DefaultIfEmpty();
        float best = normal.Max(), worst = normal.Min();
        (string, double)[] pieces = [.. proto.Pieces.Select(p =>
            (p.Text, p.Type == PieceType.UserDefined ? UserDefinedScore(p.Text, best) : (double)p.Score))];
        IEnumerable<int> never = proto.Pieces.Index().Where(p => p.Item.Type is not (PieceType.Normal or PieceType.UserDefined)).Select(p => p.Index);
        return new(pieces, unk, proto.ByteFallback, [.. never], worst);
    }

    private static float UserDefinedScore(string text, float best) =>
        float.Clamp((System.Text.Encoding.UTF8.GetByteCount(text) * best) - 0.1f, float.MinValue, float.MaxValue);

    private static Vocabulary Check(SentencePieceProto proto, JsonView where)
    {
        Dictionary<string, int> ids = [];
        for (int i = 0; i < proto.Pieces.Count; i++)
        {
            SentencePiece piece = proto.Pieces[i];
            JsonView at = new(default, $"piece {i}", where.File);
            string? problem = piece.Text.Length == 0 ? "is empty"
                : piece.Text.Length > MaxUnigramPiece ? $"has {piece.Text.Length} characters, expected at most {MaxUnigramPiece}"
                : !float.IsFinite(piece.Score) ? $"has the score {piece.Score}, expected a finite number"
                : piece.Type == PieceType.Byte && !proto.ByteFallback ? "is a byte, but byte_fallback is off"
                : !ids.TryAdd(piece.Text, i) ? $"\"{piece.Text}\" is piece {ids[piece.Text]} too"
                : null;
            if (problem is not null)
            {
                throw at.Error(problem);
            }
        }
        int unknown = proto.Pieces.Count(p => p.Type == PieceType.Unknown), bytes = proto.Pieces.Count(p => p.Type == PieceType.Byte);
        if (unknown != 1 || (proto.ByteFallback && bytes != 256))
        {
            throw where.Error($"found {unknown} unknown pieces and {bytes} bytes, expected one and {(proto.ByteFallback ? 256 : 0)}");
        }
        return new(ids);
    }

    private static PostProcessor? Frame(SentencePieceProto proto, TokenizerParts parts, TokenizerConfig config)
    {
        string? bos = Control(proto.BosPiece, parts), eos = Control(proto.EosPiece, parts);
        bool addBos = bos is not null && (config.Flag("add_bos_token") ?? true);
        bool addEos = eos is not null && (config.Flag("add_eos_token") ?? bos is null);
        return addBos || addEos
            ? TemplateProcessor.Around(addBos ? bos : null, addEos ? eos : null, parts.Model.TokenToId)
            : null;
    }

    private static string? Control(string piece, TokenizerParts parts) => parts.Added.IsSpecial(piece) ? piece : null;

    private static void SetRole(TokenizerConfig config, string key, string piece, TokenizerParts parts)
    {
        if (config.Token(key) is null && Control(piece, parts) is not null)
        {
            config.Set(key, piece);
        }
    }
}
