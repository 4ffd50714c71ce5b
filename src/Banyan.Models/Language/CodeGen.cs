using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// CodeGen (Nijkamp et al. 2022, arXiv:2203.13474): GPT-J's block; one layer holds queries, values and keys of a quarter of the heads after another, as
// the four machines held them that trained it.

/// <summary>Attention from one layer in four shards.</summary>
public sealed class CodeGenAttention : CausalAttention
{
    private const int Shards = 4;

    private readonly Linear _fused, _out;

    internal CodeGenAttention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _fused = Add("qkv_proj", new Linear(c.HiddenSize, 3 * c.HiddenSize, bias: false, initializer: init));
        _out = Add("out_proj", new Linear(c.HiddenSize, c.HiddenSize, bias: false, initializer: init));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass)
    {
        int local = Config.NumAttentionHeads / Shards;
        Tensor shards = _fused.Forward(x, pass).Reshape(-1, Shards, 3 * local, Config.HeadDim);
        Tensor Part(int index) => shards.Slice(2, index * local, local).Reshape(-1, Config.NumAttentionHeads, Config.HeadDim);
        return (Part(0), Part(2), Part(1));
    }

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o, pass);
}

/// <summary>x + attention(norm(x)) + mlp(norm(x)).</summary>
public sealed class CodeGenBlock : Block
{
    private readonly CodeGenAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _norm;

    internal CodeGenBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _norm = Add("ln_1", new LayerNorm(c.HiddenSize, c.NormEps));
        _attention = Add("attn", new CodeGenAttention(c, layer, rotary));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "fc_in", "fc_out", c.InitializerRange));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _norm.Forward(x, pass);
        return x + _attention.Forward(h, batch, pass) + _mlp.Forward(h, pass);
    }
}

/// <summary>CodeGen with its language-model head: <c>CodeGenForCausalLM</c>.</summary>
public sealed class CodeGen : StackedLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public CodeGen(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private CodeGen(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer", headBias: true)
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, GptJ.Defaults, DecoderKeys.Gpt) with { PadTokenId = null };
        ConfigChecks.Divides(config, "n_head", c.NumAttentionHeads, "the number of shards", 4);
        return c;
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, config.GetInt("rotary_dim", Math.Min(64, c.HeadDim), min: 2, max: c.HeadDim), interleaved: true);
        return new DecoderStack(c, i => new CodeGenBlock(c, i, rotary), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("wte", "h", "ln_f"), null, rotary);
    }
}
