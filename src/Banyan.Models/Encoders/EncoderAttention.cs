using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Multi-head attention, both ways unless the model is a decoder: queries, keys and values, without the output's layer.</summary>
public class EncoderAttention : Module
{
    private readonly EncoderConfig _c;
    private readonly int _layer;
    private readonly Linear _q, _k, _v;

    /// <summary>The attention of one layer.</summary>
    /// <param name="c">Widths and heads.</param>
    /// <param name="layer">Index of the layer, for caches.</param>
    /// <param name="query">Name of the queries' layer. Default: <c>query</c>.</param>
    /// <param name="key">Name of the keys' layer. Default: <c>key</c>.</param>
    /// <param name="value">Name of the values' layer. Default: <c>value</c>.</param>
    public EncoderAttention(EncoderConfig c, int layer, string query = "query", string key = "key", string value = "value")
    {
        (_c, _layer) = (c, layer);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _q = Add(query, new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _k = Add(key, new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _v = Add(value, new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
    }

    /// <summary>x (T, C) to what the heads read (T, C).</summary>
    public Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Heads(Linear project) => project.Forward(x, pass).Reshape(-1, _c.NumAttentionHeads, _c.HiddenSize / _c.NumAttentionHeads);   // (T, H, D)
        var options = new AttentionOptions { Causal = _c.IsDecoder, Dropout = pass.Training ? _c.AttentionProbsDropoutProb : 0, Seed = pass.DropoutSeed(this) };
        Configure(options, pass);
        (Tensor q, Tensor k) = Meet(Heads(_q), Heads(_k), batch, pass);
        Tensor o = batch.Attend(_layer, q, k, Heads(_v), options);
        return pass.Visit(this, o.Reshape(-1, _c.HiddenSize));
    }

    /// <summary>Queries and keys as they meet. Default: as they are.</summary>
    protected virtual (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) => (q, k);

    /// <summary>Adds to the options of the attention.</summary>
    protected virtual void Configure(AttentionOptions options, ForwardPass pass)
    {
    }
}
