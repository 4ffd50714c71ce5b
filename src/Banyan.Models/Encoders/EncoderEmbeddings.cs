using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Sum of the embeddings of token, position and segment, then a norm. Parameters: <c>word_embeddings</c>, <c>position_embeddings</c>, <c>token_type_embeddings</c>, <c>LayerNorm</c>.</summary>
public sealed class EncoderEmbeddings : Module
{
    private readonly Embedding _tokens;
    private readonly Embedding? _positions, _types;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;
    private readonly int? _countedFrom;
    private readonly int _offset;
    private readonly double _scale;

    /// <summary>The embeddings of an encoder.</summary>
    /// <param name="c">Sizes.</param>
    /// <param name="segments">Whether there are embeddings of segments. Default: true.</param>
    /// <param name="positions">Whether there are embeddings of positions. Default: true.</param>
    /// <param name="counted">True counts positions over the tokens that are no padding, from the padding id + 1 on (RoBERTa). Default: false.</param>
    /// <param name="offset">The row of position 0, before which unused rows lie. Default: 0.</param>
    /// <param name="scale">Factor of the tokens' embeddings. Default: 1.</param>
    public EncoderEmbeddings(EncoderConfig c, bool segments = true, bool positions = true, bool counted = false, int offset = 0, double scale = 1)
    {
        (_offset, _scale) = (offset, scale);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _countedFrom = counted ? c.PadTokenId ?? 1 : null;
        _tokens = Add("word_embeddings", new Embedding(c.VocabSize, c.EmbeddingSize, init, c.PadTokenId));
        _positions = positions ? Add("position_embeddings", new Embedding(c.MaxPositionEmbeddings + offset, c.EmbeddingSize, init, counted ? c.PadTokenId : null)) : null;
        _types = segments ? Add("token_type_embeddings", new Embedding(c.TypeVocabSize, c.EmbeddingSize, init)) : null;
        _norm = Add("LayerNorm", new LayerNorm(c.EmbeddingSize, c.LayerNormEps));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
    }

    /// <summary>(V, E).</summary>
    public Parameter Weight => _tokens.Weight;

    /// <summary>The embeddings (T, E) of a batch.</summary>
    public Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _tokens.Forward(batch.Ids, pass);
        x = _scale == 1 ? x : x * _scale;
        x = _types is null ? x : x + _types.Forward(batch.TokenTypes ?? pass.Scope.Zeros([batch.Tokens], DType.Int64), pass);
        x = _positions is null ? x : x + _positions.Forward(_countedFrom is { } padding ? Counted(batch, padding) : _offset == 0 ? batch.Positions : batch.Positions + _offset, pass);
        return pass.Visit(this, _drop.Forward(_norm.Forward(x, pass), pass));
    }

    private static Tensor Counted(TokenBatch batch, int padding)
    {
        long[] ids = batch.Ids.ToArray<long>(), positions = new long[ids.Length];
        for (int s = 0; s < batch.Layout.Count; s++)
        {
            SequenceSpan span = batch.Layout[s];
            long next = padding;
            for (long t = span.QueryStart; t < span.QueryStart + span.QueryLength; t++)
            {
                positions[t] = ids[t] == padding ? padding : ++next;
            }
        }
        return batch.Ids.Scope!.From<long>(positions, [positions.Length]);
    }
}
