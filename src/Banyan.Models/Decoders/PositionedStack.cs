using Banyan.Nn;

namespace Banyan.Models;

/// <summary>A stack whose embeddings are sums of token and position, as GPT-2's.</summary>
public sealed class PositionedStack : DecoderStack
{
    private readonly Embedding _positions;
    private readonly Dropout _drop;
    private readonly int _offset;
    private readonly bool _counted;

    /// <summary>A stack.</summary>
    /// <param name="c">Vocabulary, width, number of layers and positions.</param>
    /// <param name="block">The layer with this index.</param>
    /// <param name="norm">The final norm, or null.</param>
    /// <param name="names">Where the parts lie.</param>
    /// <param name="positions">Name of the position embedding.</param>
    /// <param name="offset">Row of position 0. Default: 0.</param>
    /// <param name="counted">True counts positions over the visible tokens only; padding has the row before position 0. Default: false.</param>
    /// <param name="dropout">Dropout of the sum in training. Default: 0.</param>
    public PositionedStack(DecoderConfig c, Func<int, Block> block, Norm? norm, StackNames names, string positions, int offset = 0, bool counted = false, double dropout = 0)
        : base(c, block, norm, names)
    {
        (_offset, _counted) = (offset, counted);
        _positions = Add(positions, new Embedding(c.MaxPositionEmbeddings + offset, c.HiddenSize, Initializer.Normal(c.InitializerRange)));
        _drop = Add("embedding_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor at = _counted ? batch.CountedPositions() : batch.Positions;
        return _drop.Forward(base.Embed(x, batch, pass) + _positions.Forward(_offset == 0 ? at : at + _offset, pass), pass);
    }
}
