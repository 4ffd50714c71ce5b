using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Marian (Junczys-Dowmunt et al. 2018, arXiv:1804.00344; the OPUS-MT translators): the original Transformer with sinusoidal positions, sines before cosines.

/// <summary>norm(x + attention(x)), in the decoder norm(x + attention to the source), then norm(x + mlp(x)).</summary>
public sealed class MarianBlock : Block
{
    private readonly Seq2SeqAttention _self;
    private readonly Seq2SeqAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal MarianBlock(Seq2SeqConfig c, int layer, bool decoder)
    {
        int heads = decoder ? c.DecoderAttentionHeads : c.EncoderAttentionHeads;
        _self = Add("self_attn", new Seq2SeqAttention(c, heads, layer, causal: decoder));
        _selfNorm = Add("self_attn_layer_norm", new LayerNorm(c.DModel));
        _source = decoder ? Add("encoder_attn", new Seq2SeqAttention(c, heads, layer, causal: false)) : null;
        _sourceNorm = decoder ? Add("encoder_attn_layer_norm", new LayerNorm(c.DModel)) : null;
        _mlp = Add("", new Seq2SeqMlp(c, decoder ? c.DecoderFfnDim : c.EncoderFfnDim));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.DModel));
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _selfNorm.Forward(x + _drop.Forward(_self.Forward(x, batch, pass), pass), pass);
        if (_source is not null)
        {
            x = _sourceNorm!.Forward(x + _drop.Forward(_source.ToSource(x, batch, pass), pass), pass);
        }
        return _mlpNorm.Forward(x + _drop.Forward(_mlp.Forward(x, pass), pass), pass);
    }
}

/// <summary>Marian with its language-model head: <c>MarianMTModel</c>.</summary>
public sealed class Marian : Seq2SeqLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public Marian(ConfigReader config) : this(config, Seq2SeqConfig.Read(config, new() { VocabSize = 58101, PadTokenId = 58100, DecoderStartTokenId = 58100 }))
    {
        ConfigChecks.Only(config, "share_encoder_decoder_embeddings", true, "encoder and decoder have one embedding");
    }

    private Marian(ConfigReader config, Seq2SeqConfig c) : base(config, c, (embed, decoder) => new Seq2SeqStack(c, embed, learned: null, offset: 0, computed: batch => new SinusoidalPositions(c.DModel, steps: c.DModel / 2.0).Of(batch.Positions), embeddingNorm: false, norm: false,
        Enumerable.Range(0, decoder ? c.DecoderLayers : c.EncoderLayers).Select(i => new MarianBlock(c, i, decoder))))
    {
    }
}
