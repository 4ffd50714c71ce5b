using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// M2M-100 (Fan et al. 2021, arXiv:2010.11125) and NLLB (2022, arXiv:2207.04672): norms before each part; sinusoidal positions are counted over the tokens that are
// no padding, from the padding id + 1 on.

/// <summary>x + attention(norm(x)), in the decoder x + attention to the source, then x + mlp(norm(x)).</summary>
public sealed class M2M100Block : Block
{
    private readonly Seq2SeqAttention _self;
    private readonly Seq2SeqAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal M2M100Block(Seq2SeqConfig c, int layer, bool decoder)
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

/// <summary>M2M100 with its language-model head: <c>M2M100ForConditionalGeneration</c>.</summary>
public sealed class M2M100 : Seq2SeqLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public M2M100(ConfigReader config) : this(config, Seq2SeqConfig.Read(config, new() { VocabSize = 128112, AttentionDropout = 0.1, ActivationFunction = "relu", ScaleEmbedding = true }))
    {
    }

    private M2M100(ConfigReader config, Seq2SeqConfig c) : base(config, c, (embed, decoder) => new Seq2SeqStack(c, embed, learned: null, offset: 0, computed: batch => new SinusoidalPositions(c.DModel, c.PadTokenId + 1).Of(Counted(batch, c.PadTokenId)), embeddingNorm: false, norm: true,
        Enumerable.Range(0, decoder ? c.DecoderLayers : c.EncoderLayers).Select(i => new M2M100Block(c, i, decoder))), bias: false)
    {
    }

    private static Tensor Counted(TokenBatch batch, int padding)
    {
        if (batch.Caches is not null)
        {
            return batch.Positions;
        }
        long[] ids = batch.Ids.ToArray<long>(), positions = new long[ids.Length];
        for (int s = 0; s < batch.Layout.Count; s++)
        {
            SequenceSpan span = batch.Layout[s];
            for (long t = span.QueryStart, next = 0; t < span.QueryStart + span.QueryLength; t++)
            {
                positions[t] = ids[t] == padding ? -1 : next++;
            }
        }
        return batch.Ids.Scope!.From<long>(positions, [positions.Length]);
    }
}
