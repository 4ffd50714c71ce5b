using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// LED, the Longformer encoder-decoder (Beltagy et al. 2020, arXiv:2004.05150, section 7): BART for long sources. The encoder's tokens see a window and the global tokens
// (global_attention_mask); the decoder is BART's, with full attention.

/// <summary>norm(x + window(x)), then norm(x + mlp(x)).</summary>
public sealed class LedEncoderBlock : Block
{
    private readonly LongformerSelfAttention _self;
    private readonly Linear _out;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly Dropout _drop;

    internal LedEncoderBlock(Seq2SeqConfig c, int layer, int window)
    {
        EncoderConfig attention = new() { HiddenSize = c.DModel, NumAttentionHeads = c.EncoderAttentionHeads, AttentionProbsDropoutProb = c.AttentionDropout, InitializerRange = c.InitStd };
        _self = Add("self_attn.longformer_self_attn", new LongformerSelfAttention(attention, layer, window));
        _out = Add("self_attn.output", new Linear(c.DModel, c.DModel, initializer: Initializer.Normal(c.InitStd)));
        _selfNorm = Add("self_attn_layer_norm", new LayerNorm(c.DModel));
        _mlp = Add("", new Seq2SeqMlp(c, c.EncoderFfnDim));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.DModel));
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _selfNorm.Forward(x + _drop.Forward(_out.Forward(_self.Forward(x, batch, pass), pass), pass), pass);
        return _mlpNorm.Forward(x + _drop.Forward(_mlp.Forward(x, pass), pass), pass);
    }
}

/// <summary>norm(x + attention(x)), norm(x + attention to the source), norm(x + mlp(x)).</summary>
public sealed class LedDecoderBlock : Block
{
    private readonly Seq2SeqAttention _self, _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _sourceNorm, _mlpNorm;
    private readonly Dropout _drop;

    internal LedDecoderBlock(Seq2SeqConfig c, int layer)
    {
        _self = Add("self_attn", new Seq2SeqAttention(c, c.DecoderAttentionHeads, layer, causal: true));
        _selfNorm = Add("self_attn_layer_norm", new LayerNorm(c.DModel));
        _source = Add("encoder_attn", new Seq2SeqAttention(c, c.DecoderAttentionHeads, layer, causal: false));
        _sourceNorm = Add("encoder_attn_layer_norm", new LayerNorm(c.DModel));
        _mlp = Add("", new Seq2SeqMlp(c, c.DecoderFfnDim));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.DModel));
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _selfNorm.Forward(x + _drop.Forward(_self.Forward(x, batch, pass), pass), pass);
        x = _sourceNorm.Forward(x + _drop.Forward(_source.ToSource(x, batch, pass), pass), pass);
        return _mlpNorm.Forward(x + _drop.Forward(_mlp.Forward(x, pass), pass), pass);
    }
}

/// <summary>LED with its language-model head: <c>LEDForConditionalGeneration</c>.</summary>
public sealed class Led : Seq2SeqLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public Led(ConfigReader config) : this(config, Seq2SeqConfig.Read(config))
    {
    }

    private Led(ConfigReader config, Seq2SeqConfig c) : this(config, c with { MaxPositionEmbeddings = config.GetInt("max_decoder_position_embeddings", 1024, min: 1) },
        LongformerSelfAttention.ReadWindows(config, c.EncoderLayers), config.GetInt("max_encoder_position_embeddings", 16384, min: 1))
    {
    }

    private Led(ConfigReader config, Seq2SeqConfig c, int[] windows, int sourcePositions) : base(config, c, (embed, decoder) => new Seq2SeqStack(c with { ScaleEmbedding = false }, embed,
        learned: decoder ? c.MaxPositionEmbeddings : sourcePositions, offset: 0, computed: null, embeddingNorm: true, norm: false,
        decoder ? Enumerable.Range(0, c.DecoderLayers).Select(i => (Block)new LedDecoderBlock(c, i)) : windows.Select((w, i) => new LedEncoderBlock(c, i, w))), name: "led")
    {
    }

    /// <inheritdoc/>
    protected override TokenBatch SourceTokens(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch batch = base.SourceTokens(inputs, pass);
        batch.Global = inputs.GlobalTokens();
        return batch;
    }
}
