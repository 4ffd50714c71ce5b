using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BART (Lewis et al. 2020, arXiv:1910.13461): an encoder and a decoder with norms behind each part, learned positions, trained to repair damaged text.

/// <summary>norm(x + attention(x)), in the decoder norm(x + attention to the source), then norm(x + mlp(x)).</summary>
public sealed class BartBlock : Block
{
    private readonly Seq2SeqAttention _self;
    private readonly Seq2SeqAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal BartBlock(Seq2SeqConfig c, int layer, bool decoder)
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

/// <summary>Bart with its language-model head: <c>BartForConditionalGeneration</c>.</summary>
public sealed class Bart : Seq2SeqLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public Bart(ConfigReader config) : this(config, Seq2SeqConfig.Read(config))
    {
    }

    private Bart(ConfigReader config, Seq2SeqConfig c) : base(config, c, (embed, decoder) => new Seq2SeqStack(c, embed, learned: c.MaxPositionEmbeddings + 2, offset: 2, computed: null, embeddingNorm: true, norm: false,
        Enumerable.Range(0, decoder ? c.DecoderLayers : c.EncoderLayers).Select(i => new BartBlock(c, i, decoder))))
    {
    }
}
