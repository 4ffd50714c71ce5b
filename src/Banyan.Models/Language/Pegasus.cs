using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// PEGASUS (Zhang et al. 2020, arXiv:1912.08777): norms before each part, sinusoidal positions; trained to write sentences that were taken out.

/// <summary>x + attention(norm(x)), in the decoder x + attention to the source, then x + mlp(norm(x)).</summary>
public sealed class PegasusBlock : Block
{
    private readonly Seq2SeqAttention _self;
    private readonly Seq2SeqAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal PegasusBlock(Seq2SeqConfig c, int layer, bool decoder)
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
        x += _drop.Forward(_self.Forward(_selfNorm.Forward(x, pass), batch, pass), pass);
        if (_source is not null)
        {
            x += _drop.Forward(_source.ToSource(_sourceNorm!.Forward(x, pass), batch, pass), pass);
        }
        return x + _drop.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>Pegasus with its language-model head: <c>PegasusForConditionalGeneration</c>.</summary>
public sealed class Pegasus : Seq2SeqLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public Pegasus(ConfigReader config) : this(config, Seq2SeqConfig.Read(config, new() { PadTokenId = 0, DecoderStartTokenId = 0 }))
    {
    }

    private Pegasus(ConfigReader config, Seq2SeqConfig c) : base(config, c, (embed, decoder) => new Seq2SeqStack(c, embed, learned: null, offset: 0, computed: batch => new SinusoidalPositions(c.DModel, steps: c.DModel / 2.0).Of(batch.Positions), embeddingNorm: false, norm: true,
        Enumerable.Range(0, decoder ? c.DecoderLayers : c.EncoderLayers).Select(i => new PegasusBlock(c, i, decoder))))
    {
    }
}
