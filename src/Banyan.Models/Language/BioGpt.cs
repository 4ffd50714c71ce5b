using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BioGPT (Luo et al. 2022, arXiv:2210.10341): embeddings times sqrt(C); learned positions that count visible tokens and start at row 2.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class BioGptBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Linear _up, _down;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal BioGptBlock(DecoderConfig c, int layer, double dropout, double attentionDropout)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, null, bias: true, outName: "out_proj") { Dropout = attentionDropout });
        _attentionNorm = Add("self_attn_layer_norm", new LayerNorm(c.HiddenSize));
        _up = Add("fc1", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("fc2", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.HiddenSize));
        _drop1 = Add("dropout1", new Dropout(dropout));
        _drop2 = Add("dropout2", new Dropout(dropout));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _drop2.Forward(_down.Forward(_act(_up.Forward(_mlpNorm.Forward(x, pass), pass)), pass), pass);
    }
}

/// <summary>BioGPT with its language-model head: <c>BioGptForCausalLM</c>.</summary>
public sealed class BioGpt : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 42384, HiddenSize = 1024, IntermediateSize = 4096, NumHiddenLayers = 24, NumAttentionHeads = 16, MaxPositionEmbeddings = 1024, NormEps = 1e-12, HiddenAct = "gelu",
        TieWordEmbeddings = true, PadTokenId = 1,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public BioGpt(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "layer_norm_eps")))
    {
    }

    private BioGpt(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "biogpt", head: "output_projection")
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        double Dropout(string key) => config.GetDouble(key, 0.1, min: 0, max: 0.999);
        (double hidden, double attention) = (Dropout("hidden_dropout_prob"), Dropout("attention_probs_dropout_prob"));
        return new PositionedStack(c, i => new BioGptBlock(c, i, hidden, attention), new LayerNorm(c.HiddenSize), new StackNames(Norm: "layer_norm"), "embed_positions", 2, counted: true, hidden)
        {
            EmbeddingScale = config.GetBool("scale_embedding", true) ? Math.Sqrt(c.HiddenSize) : 1,
        };
    }
}
