using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Widths of latent attention, by the keys of <c>config.json</c>.</summary>
/// <param name="QueryRank">Width between the two layers of the queries; null: one layer.</param>
/// <param name="KeyValueRank">Width of the latent vector from which keys and values come.</param>
/// <param name="PlainDim">Elements of a head that know no position.</param>
/// <param name="RotaryDim">Elements of a head that rotate; their keys are the same for all heads.</param>
/// <param name="ValueDim">Elements of a head's values.</param>
public sealed record LatentAttentionConfig(int? QueryRank, int KeyValueRank, int PlainDim, int RotaryDim, int ValueDim)
{
    /// <summary>Reads the widths.</summary>
    public static LatentAttentionConfig Read(ConfigReader c)
    {
        int Width(string key, int otherwise) => c.GetInt(key, otherwise, min: 1, max: 1 << 20);
        int? query = c.Keys.Contains("q_lora_rank") && !c.Has("q_lora_rank") ? null : Width("q_lora_rank", 1536);
        return new(query, Width("kv_lora_rank", 512), Width("qk_nope_head_dim", 128), Width("qk_rope_head_dim", 64), Width("v_head_dim", 128));
    }

    /// <summary>1 / sqrt(D), times what YaRN's <c>mscale_all_dim</c> makes of longer contexts.</summary>
    public double Scale(RopeParameters rope)
    {
        double m = rope.Type == "default" || rope.MscaleAllDim == 0 ? 1 : RopeParameters.YarnMagnitude(rope.Factor, rope.MscaleAllDim);
        return m * m / Math.Sqrt(PlainDim + RotaryDim);
    }
}

/// <summary>
/// Attention whose keys and values are made from one short vector of each token (DeepSeek-AI 2024, arXiv:2405.04434); positions go through a few further
/// elements, whose keys all heads share.
/// </summary>
public sealed class LatentAttention : CausalAttention
{
    private readonly LatentAttentionConfig _l;
    private readonly Linear? _query, _queryDown, _queryUp;
    private readonly RmsNorm? _queryNorm;
    private readonly Linear _down, _up, _out;
    private readonly RmsNorm _norm;

    internal LatentAttention(DecoderConfig c, LatentAttentionConfig l, int layer, RotaryEmbedding rotary) : base(c, layer, rotary)
    {
        _l = l;
        Initializer init = Initializer.Normal(c.InitializerRange);
        int heads = c.NumAttentionHeads, queries = heads * (l.PlainDim + l.RotaryDim);
        if (l.QueryRank is { } rank)
        {
            _queryDown = Add("q_a_proj", new Linear(c.HiddenSize, rank, c.AttentionBias, initializer: init));
            _queryNorm = Add("q_a_layernorm", new RmsNorm(rank, 1e-6));
            _queryUp = Add("q_b_proj", new Linear(rank, queries, bias: false, initializer: init));
        }
        else
        {
            _query = Add("q_proj", new Linear(c.HiddenSize, queries, bias: false, initializer: init));
        }
        _down = Add("kv_a_proj_with_mqa", new Linear(c.HiddenSize, l.KeyValueRank + l.RotaryDim, c.AttentionBias, initializer: init));
        _norm = Add("kv_a_layernorm", new RmsNorm(l.KeyValueRank, 1e-6));
        _up = Add("kv_b_proj", new Linear(l.KeyValueRank, heads * (l.PlainDim + l.ValueDim), bias: false, initializer: init));
        _out = Add("o_proj", new Linear(heads * l.ValueDim, c.HiddenSize, c.AttentionBias, initializer: init));
        Scale = l.Scale(c.Rope);
    }

    // The elements that rotate come first: scores do not depend on the order.
    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        int heads = Config.NumAttentionHeads;
        Tensor q = _query is not null ? _query.Forward(x, pass) : _queryUp!.Forward(_queryNorm!.Forward(_queryDown!.Forward(x, pass), pass), pass);
        Tensor[] query = q.Reshape(-1, heads, _l.PlainDim + _l.RotaryDim).Split([_l.PlainDim, _l.RotaryDim], 2);
        Tensor[] latent = _down.Forward(x, pass).Split([_l.KeyValueRank, _l.RotaryDim], 1);
        Tensor[] keyValue = _up.Forward(_norm.Forward(latent[0], pass), pass).Reshape(-1, heads, _l.PlainDim + _l.ValueDim).Split([_l.PlainDim, _l.ValueDim], 2);
        Tensor shared = latent[1].Reshape(-1, 1, _l.RotaryDim).Expand([x.Shape[0], heads, _l.RotaryDim]);
        return (Tensor.Cat([query[1], query[0]], 2), Tensor.Cat([shared, keyValue[0]], 2), keyValue[1]);
    }

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o, pass);
}
