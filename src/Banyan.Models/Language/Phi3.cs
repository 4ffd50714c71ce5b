using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Phi 3 (Abdin et al. 2024, arXiv:2404.14219): Llama's computation with queries, keys and values in one layer and gate and values of the MLP in
// another; long contexts by a factor for each frequency (LongRoPE, arXiv:2402.13753).

/// <summary>Attention from one layer that stacks queries, keys and values.</summary>
public sealed class Phi3Attention : CausalAttention
{
    private readonly Linear _fused, _out;

    internal Phi3Attention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _fused = Add("qkv_proj", new Linear(c.HiddenSize, (c.NumAttentionHeads + 2 * c.NumKeyValueHeads) * c.HeadDim, bias: false, initializer: init));
        _out = Add("o_proj", new Linear(c.NumAttentionHeads * c.HeadDim, c.HiddenSize, bias: false, initializer: init));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        Tensor heads = Heads(_fused.Forward(x, pass));
        int h = Config.NumAttentionHeads, g = Config.NumKeyValueHeads;
        return (heads.Slice(1, 0, h), heads.Slice(1, h, g), heads.Slice(1, h + g, g));
    }

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o, pass);
}

/// <summary>down(silu(gate) * up) with gate and up from one layer.</summary>
public sealed class Phi3Mlp : Module
{
    private readonly Linear _gateUp, _down;
    private readonly Func<Tensor, Tensor> _act;

    internal Phi3Mlp(DecoderConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _gateUp = Add("gate_up_proj", new Linear(c.HiddenSize, 2 * c.IntermediateSize, bias: false, initializer: init));
        _down = Add("down_proj", new Linear(c.IntermediateSize, c.HiddenSize, bias: false, initializer: init));
        _act = Activations.Get(c.HiddenAct);
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor[] parts = _gateUp.Forward(x, pass).Chunk(2, 1);
        return pass.Visit(this, _down.Forward(_act(parts[0]) * parts[1], pass));
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Phi3Block : Block
{
    private readonly Phi3Attention _attention;
    private readonly Phi3Mlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;

    internal Phi3Block(DecoderConfig c, int layer, RotaryEmbedding rotary, double dropout)
    {
        _attention = Add("self_attn", new Phi3Attention(c, layer, rotary) { Window = c.SlidingWindow });
        _mlp = Add("mlp", new Phi3Mlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _drop1 = Add("resid_attn_dropout", new Dropout(dropout));
        _drop2 = Add("resid_mlp_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _drop2.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>Phi 3 with its language-model head: <c>Phi3ForCausalLM</c>.</summary>
public sealed class Phi3 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 32064, HiddenSize = 3072, IntermediateSize = 8192, MaxPositionEmbeddings = 4096, NormEps = 1e-5, PadTokenId = 32000,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Phi3(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Phi3(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        double dropout = config.GetDouble("resid_pdrop", 0, min: 0, max: 0.999);
        return new DecoderStack(c, i => new Phi3Block(c, i, rotary, dropout), new RmsNorm(c.HiddenSize, c.NormEps), null, rotary);
    }
}
