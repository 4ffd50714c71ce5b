using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// mBART (Liu et al. 2020, arXiv:2001.08210): BART for many languages, with norms before each part. A target begins with what its labels end with, the language.

/// <summary>x + attention(norm(x)), in the decoder x + attention to the source, then x + mlp(norm(x)).</summary>
public sealed class MBartBlock : Block
{
    private readonly Seq2SeqAttention _self;
    private readonly Seq2SeqAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal MBartBlock(Seq2SeqConfig c, int layer, bool decoder)
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

/// <summary>MBart with its language-model head: <c>MBartForConditionalGeneration</c>.</summary>
public sealed class MBart : Seq2SeqLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public MBart(ConfigReader config) : this(config, Seq2SeqConfig.Read(config))
    {
    }

    private MBart(ConfigReader config, Seq2SeqConfig c) : base(config, c, (embed, decoder) => new Seq2SeqStack(c, embed, learned: c.MaxPositionEmbeddings + 2, offset: 2, computed: null, embeddingNorm: true, norm: true,
        Enumerable.Range(0, decoder ? c.DecoderLayers : c.EncoderLayers).Select(i => new MBartBlock(c, i, decoder))))
    {
    }

    /// <inheritdoc/>
    protected override long FirstId(ReadOnlySpan<long> labels)
    {
        for (int i = labels.Length - 1; i >= 0; i--)
        {
            if (labels[i] != -100 && labels[i] != PadTokenId)
            {
                return labels[i];
            }
        }
        return DecoderStartTokenId;
    }
}
