using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// nanochat (Karpathy 2025): RMS norms without weights, one of them behind the embedding; queries and keys are normed after they rotate (the other way
// round than Llama's); squared ReLU; logits with a soft cap.

/// <summary>An RMS norm without a weight.</summary>
public sealed class NanoChatNorm(double eps) : Norm
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.RmsNorm(eps: eps));
}

/// <summary>Attention with norms of queries and keys behind their rotation.</summary>
public sealed class NanoChatAttention : GroupedQueryAttention
{
    private readonly NanoChatNorm _queryNorm, _keyNorm;

    internal NanoChatAttention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary) =>
        (_queryNorm, _keyNorm) = (Add("q_norm", new NanoChatNorm(c.NormEps)), Add("k_norm", new NanoChatNorm(c.NormEps)));

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass)
    {
        (q, k) = base.Meet(q, k, batch, pass);
        return (_queryNorm.Forward(q, pass), _keyNorm.Forward(k, pass));
    }
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class NanoChatBlock : Block
{
    private readonly NanoChatAttention _attention;
    private readonly Mlp _mlp;
    private readonly NanoChatNorm _attentionNorm, _mlpNorm;

    internal NanoChatBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new NanoChatAttention(c, layer, rotary));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, false, "fc1", "fc2", c.InitializerRange));
        _attentionNorm = Add("input_layernorm", new NanoChatNorm(c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new NanoChatNorm(c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>The stack: the embedding passes a norm.</summary>
public sealed class NanoChatStack : DecoderStack
{
    private readonly NanoChatNorm _embeddingNorm;

    internal NanoChatStack(DecoderConfig c, RotaryEmbedding rotary) : base(c, i => new NanoChatBlock(c, i, rotary), new NanoChatNorm(c.NormEps), null, null, rotary) =>
        _embeddingNorm = Add("embedding_norm", new NanoChatNorm(c.NormEps));

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass) => _embeddingNorm.Forward(x, pass);
}

/// <summary>nanochat with its language-model head: <c>NanoChatForCausalLM</c>.</summary>
public sealed class NanoChat : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50304, HiddenSize = 768, IntermediateSize = 8192, NumHiddenLayers = 12, NumAttentionHeads = 6, HiddenAct = "relu2",
    };

    private readonly double _softCap;

    /// <summary>A model without weights; initialise or load it.</summary>
    public NanoChat(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private NanoChat(ConfigReader config, DecoderConfig c) : base(config, c, new NanoChatStack(c, new RotaryEmbedding(c.Rope, c.RotaryDim) { Reversed = true })) =>
        _softCap = Gemma2.CapOf(config, "final_logit_softcapping", 15);

    /// <inheritdoc/>
    protected override bool HasPlainHead => _softCap == 0;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass)
    {
        Tensor logits = base.Logits(hidden, pass);
        return _softCap == 0 ? logits : logits.Softcap(_softCap);
    }
}
