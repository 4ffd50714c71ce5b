using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>A token for every character: BPE that has an alphabet and no merges.</summary>
internal sealed class CharacterTraining(IReadOnlyList<string> specialTokens, string? unkToken)
{
    public Tokenizer Train(IEnumerable<string> texts)
    {
        IEnumerable<string> first = unkToken is null || specialTokens.Contains(unkToken) ? [] : [unkToken];
        List<string> special = [.. first, .. specialTokens];
        Dictionary<string, int> ids = [];
        foreach (string token in special.Concat(Characters(texts)))
        {
            ids.TryAdd(token, ids.Count);
        }
        Bpe model = new(new(ids), new(0), [], new() { UnkToken = unkToken });
        TokenizerParts parts = new(model, normalizer: null) { Decoder = new FuseDecoder() };
        parts.Added.Add([.. special.Select(t => new AddedToken(t, Special: true))]);
        return new(parts);
    }

    private static IEnumerable<string> Characters(IEnumerable<string> texts)
    {
        SortedSet<int> runes = [];
        foreach (string text in texts)
        {
            for (int i = 0; i < text.Length;)
            {
                i += Runes.Decode(text, i, out int rune);
                runes.Add(rune);
            }
        }
        return runes.Select(char.ConvertFromUtf32);
    }
}
