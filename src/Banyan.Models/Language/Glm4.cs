using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// GLM-4-0414 (GLM Team 2024, arXiv:2406.12793): norms before and behind each part, half of each head rotates as pairs of neighbours, gate and values
// of the MLP come from one layer.

/// <summary>x + norm(attention(norm(x))), then x + norm(mlp(norm(x))).</summary>
public sealed class Glm4Block : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly FusedGatedMlp _mlp;
    private readonly RmsNorm _beforeAttention, _afterAttention, _beforeMlp, _afterMlp;

    internal Glm4Block(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary, outBias: false));
        _mlp = Add("mlp", new FusedGatedMlp(c));
        RmsNorm Norm(string name) => Add(name, new RmsNorm(c.HiddenSize, c.NormEps));
        (_beforeAttention, _afterAttention) = (Norm("input_layernorm"), Norm("post_self_attn_layernorm"));
        (_beforeMlp, _afterMlp) = (Norm("post_attention_layernorm"), Norm("post_mlp_layernorm"));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _afterAttention.Forward(_attention.Forward(_beforeAttention.Forward(x, pass), batch, pass), pass);
        return x + _afterMlp.Forward(_mlp.Forward(_beforeMlp.Forward(x, pass), pass), pass);
    }
}

/// <summary>GLM-4 with its language-model head: <c>Glm4ForCausalLM</c>.</summary>
public sealed class Glm4 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 151552, IntermediateSize = 13696, NumHiddenLayers = 40, NumKeyValueHeads = 2, HeadDim = 128, MaxPositionEmbeddings = 131072, NormEps = 1.5625e-7,
        PartialRotaryFactor = 0.5, PadTokenId = 151329,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Glm4(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Glm4(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim, interleaved: true);
        return new DecoderStack(c, i => new Glm4Block(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
