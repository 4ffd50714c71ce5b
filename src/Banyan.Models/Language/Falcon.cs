using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Falcon (Almazrouei et al. 2023, arXiv:2311.16867): the 7B has PaLM's parallel block with one key head for all, the 40B grouped key heads and a norm for
// each part, Falcon-RW a serial block with ALiBi.

/// <summary>What only Falcon's configuration says.</summary>
/// <param name="Bias">Biases of linear layers.</param>
/// <param name="Parallel">Whether attention and MLP read the same input.</param>
/// <param name="TwoNorms">Whether both have a norm of their own in a parallel block.</param>
/// <param name="New">Whether it is of the 40B's kind, which names its norms otherwise.</param>
/// <param name="Alibi">Whether distances lower the scores instead of rotations.</param>
/// <param name="Layout">How the fused layer's output is ordered.</param>
/// <param name="Act">Activation of the MLP.</param>
public sealed record FalconSettings(bool Bias, bool Parallel, bool TwoNorms, bool New, bool Alibi, FusedLayout Layout, string Act)
{
    internal static FalconSettings Read(ConfigReader c)
    {
        bool grouped = c.GetBool("new_decoder_architecture", false), multiQuery = c.GetBool("multi_query", true);
        return new(c.GetBool("bias", false), grouped || c.GetBool("parallel_attn", true), grouped && c.GetInt("num_ln_in_parallel_attn", 2, min: 1, max: 2) == 2, grouped,
            c.GetBool("alibi", false), multiQuery && !grouped ? FusedLayout.Stacked : FusedLayout.PerGroup, c.GetChoice("activation", Activations.Names, "gelu"));
    }
}

/// <summary>x + attention(norm(x)) + mlp(norm'(x)), or one after the other.</summary>
public sealed class FalconBlock : Block
{
    private readonly FusedAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm;
    private readonly LayerNorm? _mlpNorm;
    private readonly bool _parallel;

    internal FalconBlock(DecoderConfig c, int layer, RotaryEmbedding? rotary, FalconSettings s)
    {
        // The reference scales the slopes with the scores, and adds them twice: in the scores and in the mask.
        Tensor? slopes = s.Alibi ? RelativePositions.AlibiSlopes(c.NumAttentionHeads) * (2 / Math.Sqrt(c.HeadDim)) : null;
        _parallel = s.Parallel;
        _attention = Add("self_attention", new FusedAttention(c, layer, rotary, s.Layout, s.Bias, "query_key_value", "dense") { AlibiSlopes = slopes });
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, s.Act, s.Bias, "dense_h_to_4h", "dense_4h_to_h", c.InitializerRange));
        _attentionNorm = Add(s.TwoNorms ? "ln_attn" : "input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = s.TwoNorms ? Add("ln_mlp", new LayerNorm(c.HiddenSize, c.NormEps)) : s.Parallel ? null : Add("post_attention_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _attentionNorm.Forward(x, pass), y = x + _attention.Forward(h, batch, pass);
        return y + _mlp.Forward(_mlpNorm?.Forward(_parallel ? x : y, pass) ?? h, pass);
    }
}

/// <summary>Falcon with its language-model head: <c>FalconForCausalLM</c>.</summary>
public sealed class Falcon : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 65024, HiddenSize = 4544, IntermediateSize = 0, NumAttentionHeads = 71, NormEps = 1e-5, HiddenAct = "gelu", TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Falcon(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private Falcon(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer")
    {
    }

    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys(Inner: "ffn_hidden_size", NormEps: "layer_norm_epsilon"));
        bool grouped = config.GetBool("new_decoder_architecture", false);
        int groups = grouped ? config.GetInt("num_kv_heads", c.NumAttentionHeads, min: 1, max: c.NumAttentionHeads) : config.GetBool("multi_query", true) ? 1 : c.NumAttentionHeads;
        ConfigChecks.Divides(config, "num_attention_heads", c.NumAttentionHeads, "num_kv_heads", groups);
        return c with { NumKeyValueHeads = groups, PadTokenId = null };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        FalconSettings s = FalconSettings.Read(config);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new FalconBlock(c, i, s.Alibi ? null : rotary, s), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("word_embeddings", "h", "ln_f"), null, rotary);
    }
}
