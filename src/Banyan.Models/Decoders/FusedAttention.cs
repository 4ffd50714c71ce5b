using Banyan.Nn;

namespace Banyan.Models;

/// <summary>How one layer's output (T, n * D) holds queries, keys and values.</summary>
public enum FusedLayout
{
    /// <summary>All queries, then all keys, then all values.</summary>
    Stacked,

    /// <summary>For each key/value head the queries that it serves (one where there are as many heads), then its key and its value.</summary>
    PerGroup,
}

/// <summary>Attention whose queries, keys and values come from one layer.</summary>
public class FusedAttention : CausalAttention
{
    private readonly FusedLayout _layout;
    private readonly Linear _fused, _out;

    /// <summary>The attention of one layer.</summary>
    /// <param name="c">Widths and heads.</param>
    /// <param name="layer">Index of the layer, for caches.</param>
    /// <param name="rotary">Turns queries and keys by their positions; null: nothing does.</param>
    /// <param name="layout">How the layer's output holds the three.</param>
    /// <param name="bias">Whether the layers have biases.</param>
    /// <param name="name">Name of the fused layer.</param>
    /// <param name="outName">Name of the output's layer.</param>
    /// <param name="transposed">Whether weights are stored (in, out). Default: false.</param>
    public FusedAttention(DecoderConfig c, int layer, RotaryEmbedding? rotary, FusedLayout layout, bool bias, string name, string outName, bool transposed = false) : base(c, layer, rotary)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _layout = layout;
        _fused = Add(name, new Linear(c.HiddenSize, (c.NumAttentionHeads + 2 * c.NumKeyValueHeads) * c.HeadDim, bias, transposed, init));
        _out = Add(outName, new Linear(c.NumAttentionHeads * c.HeadDim, c.HiddenSize, bias, transposed, init));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        Tensor heads = Heads(_fused.Forward(x, pass));   // (T, H + 2 G, D)
        int h = Config.NumAttentionHeads, g = Config.NumKeyValueHeads, each = h / g;
        if (_layout == FusedLayout.Stacked)
        {
            return heads.Split(1, h, g, g);
        }
        Tensor groups = heads.Reshape(-1, g, each + 2, Config.HeadDim);
        return (groups.Slice(2, 0, each).Reshape(-1, h, Config.HeadDim), groups.Select(2, each), groups.Select(2, each + 1));
    }

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o, pass);
}
