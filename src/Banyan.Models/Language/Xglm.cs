using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// XGLM (Lin et al. 2021, arXiv:2112.10668): embeddings times sqrt(C), sinusoids as positions, norms before each part.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class XglmBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Linear _up, _down;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal XglmBlock(DecoderConfig c, int layer, double dropout, double attentionDropout)
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

/// <summary>The stack: sinusoids are added to the embeddings.</summary>
public sealed class XglmStack : DecoderStack
{
    private const int Offset = 2;

    private readonly SinusoidalPositions _positions;
    private readonly Dropout _drop;

    internal XglmStack(DecoderConfig c, double dropout, double attentionDropout)
        : base(c, i => new XglmBlock(c, i, dropout, attentionDropout), new LayerNorm(c.HiddenSize), new StackNames(Norm: "layer_norm"))
    {
        _positions = new SinusoidalPositions(c.HiddenSize, Offset);
        _drop = Add("dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass) => _drop.Forward(base.Embed(x, batch, pass) + _positions.Of(batch.Positions), pass);
}

/// <summary>XGLM with its language-model head: <c>XGLMForCausalLM</c>.</summary>
public sealed class Xglm : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256008, HiddenSize = 1024, IntermediateSize = 4096, NumHiddenLayers = 24, NumAttentionHeads = 16, HiddenAct = "gelu", TieWordEmbeddings = true, PadTokenId = 1,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Xglm(ConfigReader config)
        : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys("d_model", "ffn_dim", "num_layers", "attention_heads", Act: "activation_function")))
    {
    }

    private Xglm(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c) =>
        new XglmStack(c, config.GetDouble("dropout", 0.1, min: 0, max: 0.999), config.GetDouble("attention_dropout", 0.1, min: 0, max: 0.999))
        {
            EmbeddingScale = config.GetBool("scale_embedding", true) ? Math.Sqrt(c.HiddenSize) : 1,
        };
}
