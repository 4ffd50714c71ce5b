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
    /// <param name="bias">Whether the three layers have biases. Default: true.</param>
    /// <param name="keyBias">Whether the keys' layer has one; null: as the others.</param>
    public EncoderAttention(EncoderConfig c, int layer, string query = "query", string key = "key", string value = "value", bool bias = true, bool? keyBias = null)
    {
        (_c, _layer) = (c, layer);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _q = Add(query, new Linear(c.HiddenSize, c.HiddenSize, bias, initializer: init));
        _k = Add(key, new Linear(c.HiddenSize, c.HiddenSize, keyBias ?? bias, initializer: init));
        _v = Add(value, new Linear(c.HiddenSize, c.HiddenSize, bias, initializer: init));
    }

    /// <summary>x (T, C) to what the heads read (T, C).</summary>
    public Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        AttentionOptions options = Options(_c.IsDecoder, pass);
        Configure(options, pass);
        (Tensor q, Tensor k) = Meet(Heads(_q, x, pass), Heads(_k, x, pass), batch, pass);
        return pass.Visit(this, Attend(x, q, k, Heads(_v, x, pass), batch, options, pass).Reshape(-1, _c.HiddenSize));
    }

    /// <summary>x (T, C) to what the heads read from the source (T, C).</summary>
    public Tensor ToSource(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor o = batch.AttendToSource(_layer, Heads(_q, x, pass), source => (Heads(_k, source, pass), Heads(_v, source, pass)), Options(causal: false, pass));
        return pass.Visit(this, o.Reshape(-1, _c.HiddenSize));
    }

    /// <summary>A layer's output as heads: (T, H, D).</summary>
    protected Tensor Heads(Linear project, Tensor x, ForwardPass pass) => project.Forward(x, pass).Reshape(-1, _c.NumAttentionHeads, _c.HiddenSize / _c.NumAttentionHeads);

    /// <summary>What the heads read: (T, H, D). Default: full attention within each sequence.</summary>
    /// <param name="x">The layer's input (T, C).</param>
    /// <param name="q">(T, H, D).</param>
    /// <param name="k">(T, H, D).</param>
    /// <param name="v">(T, H, D).</param>
    /// <param name="batch">The tokens.</param>
    /// <param name="options">Direction, dropout.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    protected virtual Tensor Attend(Tensor x, Tensor q, Tensor k, Tensor v, TokenBatch batch, AttentionOptions options, ForwardPass pass) => batch.Attend(_layer, q, k, v, options);

    private AttentionOptions Options(bool causal, ForwardPass pass) =>
        new() { Causal = causal, Dropout = pass.Training ? _c.AttentionProbsDropoutProb : 0, Seed = pass.DropoutSeed(this) };

    /// <summary>Queries and keys as they meet. Default: as they are.</summary>
    protected virtual (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) => (q, k);

    /// <summary>Adds to the options of the attention.</summary>
    protected virtual void Configure(AttentionOptions options, ForwardPass pass)
    {
    }
}
