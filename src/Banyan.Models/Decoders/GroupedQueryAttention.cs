using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// Attention whose query heads share key and value heads in groups (Ainslie et al. 2023, arXiv:2305.13245). Parameters: <c>q_proj</c>,
/// <c>k_proj</c>, <c>v_proj</c> and the output's layer.
/// </summary>
public class GroupedQueryAttention : CausalAttention
{
    private readonly Linear _out;

    /// <summary>The attention of one layer.</summary>
    /// <param name="c">Widths and heads.</param>
    /// <param name="layer">Index of the layer, for caches.</param>
    /// <param name="rotary">Turns queries and keys by their positions; null: nothing does.</param>
    /// <param name="bias">Biases of queries, keys and values; null: as the configuration's <c>attention_bias</c> says.</param>
    /// <param name="outBias">Bias of the output; null: as the others.</param>
    /// <param name="outName">Name of the output's layer. Default: <c>o_proj</c>.</param>
    public GroupedQueryAttention(DecoderConfig c, int layer, RotaryEmbedding? rotary, bool? bias = null, bool? outBias = null, string outName = "o_proj") : base(c, layer, rotary)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        int keys = c.NumKeyValueHeads * c.HeadDim, queries = c.NumAttentionHeads * c.HeadDim;
        Query = Add("q_proj", new Linear(c.HiddenSize, queries, bias ?? c.AttentionBias, initializer: init));
        Key = Add("k_proj", new Linear(c.HiddenSize, keys, bias ?? c.AttentionBias, initializer: init));
        Value = Add("v_proj", new Linear(c.HiddenSize, keys, bias ?? c.AttentionBias, initializer: init));
        _out = Add(outName, new Linear(queries, c.HiddenSize, outBias ?? bias ?? c.AttentionBias, initializer: init));
    }

    /// <summary>The queries' layer.</summary>
    protected Linear Query { get; }

    /// <summary>The keys' layer.</summary>
    protected Linear Key { get; }

    /// <summary>The values' layer.</summary>
    protected Linear Value { get; }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass) =>
        (Heads(Query.Forward(x, pass)), Heads(Key.Forward(x, pass)), Heads(Value.Forward(x, pass)));

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o, pass);
}
