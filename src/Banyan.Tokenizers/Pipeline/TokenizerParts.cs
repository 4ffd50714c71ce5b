using Banyan.Tokenizers.AddedTokens;
using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Pipeline;

/// <summary>The stages that make a tokenizer, in the order in which a text passes them.</summary>
internal sealed class TokenizerParts
{
    public TokenizerParts(TokenModel model, Normalizer? normalizer)
    {
        (Model, Normalizer) = (model, normalizer);
        Added = new(model, normalizer);
    }

    public Normalizer? Normalizer { get; }

    public PreTokenizer? PreTokenizer { get; init; }

    public TokenModel Model { get; }

    public PostProcessor? PostProcessor { get; set; }

    public Decoder? Decoder { get; init; }

    public AddedVocabulary Added { get; }

    /// <summary>Tokens that the model itself keeps whole; a tokenizer.json lists them among the added ones.</summary>
    public IReadOnlyList<(int Id, AddedToken Token)> SavedTokens { get; init; } = [];

    /// <summary>The same stages around another model; no tokens are added.</summary>
    public TokenizerParts WithModel(TokenModel model) => new(model, Normalizer)
    {
        PreTokenizer = PreTokenizer,
        PostProcessor = PostProcessor,
        Decoder = Decoder,
    };
}
