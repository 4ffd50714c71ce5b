using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// Causal attention of a decoder's layer: queries, keys and values come from the input, meet, and the heads' readings go through an output layer.
/// What an architecture does otherwise at one of these places, it overrides.
/// </summary>
public abstract class CausalAttention : Module
{
    private readonly int _layer;

    /// <summary>The attention of one layer.</summary>
    /// <param name="c">Widths and heads.</param>
    /// <param name="layer">Index of the layer, for caches.</param>
    /// <param name="rotary">Turns queries and keys by their positions; null: nothing does.</param>
    protected CausalAttention(DecoderConfig c, int layer, RotaryEmbedding? rotary) => (Config, _layer, Rotary, Dropout) = (c, layer, rotary, c.AttentionDropout);

    /// <summary>What the layer was built from.</summary>
    protected DecoderConfig Config { get; }

    /// <summary>The rotary embedding, or null.</summary>
    protected RotaryEmbedding? Rotary { get; }

    /// <summary>Factor of the scores; null: 1 / sqrt(D).</summary>
    public double? Scale { get; init; }

    /// <summary>Keys that a query sees, its own among them; null: all before it.</summary>
    public int? Window { get; init; }

    /// <summary>Tokens of the chunks within which a query sees (Llama 4); null: it sees across.</summary>
    public int? Chunk { get; init; }

    /// <summary>c of c * tanh(score / c); 0: none.</summary>
    public double SoftCap { get; init; }

    /// <summary>(H): each score loses this times the distance (ALiBi); null: nothing.</summary>
    public Tensor? AlibiSlopes { get; init; }

    /// <summary>Dropout of attention weights in training. Default: the configuration's <c>attention_dropout</c>.</summary>
    public double Dropout { get; init; }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        (Tensor q, Tensor k, Tensor v) = Project(x, pass);
        (q, k) = Meet(q, k, batch, pass);
        AttentionOptions options = batch.Options(causal: true);
        (options.Scale, options.Window, options.SoftCap, options.Chunk) = (Scale, Window, SoftCap, Chunk);
        (options.Dropout, options.Seed) = (pass.Training ? Dropout : 0, pass.DropoutSeed(this));
        options.AlibiSlopes = AlibiSlopes is null ? null : pass.Scope.Use(AlibiSlopes);
        Configure(options, pass);
        Tensor o = batch.Attend(_layer, q, k, v, options);
        return pass.Visit(this, Out(o.Reshape(-1, o.Shape[1] * o.Shape[2]), x, pass));
    }

    /// <summary>Queries (T, H, D), keys and values (T, G, D).</summary>
    protected abstract (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass);

    /// <summary>Queries and keys as they meet: norms and positions.</summary>
    protected virtual (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        Rotary is null ? (q, k) : (Rotary.Apply(q, batch), Rotary.Apply(k, batch));

    /// <summary>Adds to the options of the attention.</summary>
    protected virtual void Configure(AttentionOptions options, ForwardPass pass)
    {
    }

    /// <summary>The output's layer.</summary>
    /// <param name="o">What the heads read (T, H * D).</param>
    /// <param name="x">The input (T, C).</param>
    /// <param name="pass">Owner, mode and taps.</param>
    protected abstract Tensor Out(Tensor o, Tensor x, ForwardPass pass);

    /// <summary>(T, heads * D) as (T, heads, D).</summary>
    protected Tensor Heads(Tensor x) => x.Reshape(-1, x.Shape[1] / Config.HeadDim, Config.HeadDim);
}
