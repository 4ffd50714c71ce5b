using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Formats;

/// <summary>BERT's vocab.txt: a token in each line, its number the id. tokenizer_config.json says whether case is lowered and accents go.</summary>
internal static class VocabularyText
{
    public const string FileName = "vocab.txt";

    private const string Unknown = "[UNK]", Begin = "[CLS]", End = "[SEP]", Continuing = "##";

    public static TokenizerParts Read(byte[] bytes, string file, TokenizerConfig config)
    {
        string[] lines = System.Text.Encoding.UTF8.GetString(bytes).Split('\n');
        Dictionary<string, int> ids = [];
        for (int i = 0; i < lines.Length - (lines[^1].Length == 0 ? 1 : 0); i++)
        {
            ids[lines[i].TrimEnd('\r')] = i;
        }
        string unknown = config.Token("unk_token") ?? Unknown;
        if (!ids.ContainsKey(unknown))
        {
            throw new TokenizerFormatException(file, unknown, "is no line of the file; expected BERT's vocabulary with a token for unknown words");
        }
        bool lowercase = config.Flag("do_lower_case") ?? true;
        TokenizerParts parts = new(new WordPiece(new(ids), unknown, Continuing, maxChars: 100), new BertNormalizer(cleanText: true, config.Flag("tokenize_chinese_chars") ?? true, config.Flag("strip_accents"), lowercase))
        {
            PreTokenizer = new BertPreTokenizer(),
            Decoder = TokenDecoder.WordPiece(Continuing, cleanup: true),
        };
        string[] roles = [unknown, config.Token("cls_token") ?? Begin, config.Token("sep_token") ?? End, config.Token("pad_token") ?? "[PAD]", config.Token("mask_token") ?? "[MASK]"];
        parts.Added.Add([.. roles.Where(ids.ContainsKey).Select(t => new AddedToken(t, Special: true))]);
        if (ids.TryGetValue(roles[1], out int begin) && ids.TryGetValue(roles[2], out int end))
        {
            parts.PostProcessor = new PairProcessor((roles[1], begin), (roles[2], end), roberta: null);
        }
        return parts;
    }
}
