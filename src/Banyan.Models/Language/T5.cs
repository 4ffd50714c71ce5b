using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// T5 (Raffel et al. 2020, arXiv:1910.10683): an encoder and a decoder with RMS norms, no biases, and learned biases of bucketed distances
// instead of positions, which the first layer of each stack owns and all share. Scores are not divided by sqrt(D).
// T tokens of the batch, C model width, H heads, D head size, V vocabulary.

/// <summary>x + attention(norm(x)), in the decoder x + attention to the source, then x + mlp(norm(x)).</summary>
public sealed class T5Block : Block
{
    private readonly RmsNorm _selfNorm, _mlpNorm;
    private readonly RmsNorm? _sourceNorm;
    private readonly T5Attention _self;
    private readonly T5Attention? _source;
    private readonly T5Mlp _mlp;
    private readonly Dropout _drop1, _drop2, _drop3;

    internal T5Block(T5Config c, int layer, bool decoder, T5RelativeBias bias)
    {
        string mlp = decoder ? "layer.2" : "layer.1";
        _self = Add("layer.0.SelfAttention", new T5Attention(c, layer, causal: decoder, bias));
        _selfNorm = Add("layer.0.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop1 = Add("layer.0.dropout", new Dropout(c.DropoutRate));
        _source = decoder ? Add("layer.1.EncDecAttention", new T5Attention(c, layer, causal: false, null)) : null;
        _sourceNorm = decoder ? Add("layer.1.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon)) : null;
        _drop2 = Add("layer.1.dropout", new Dropout(c.DropoutRate));
        _mlp = Add($"{mlp}.DenseReluDense", new T5Mlp(c));
        _mlpNorm = Add($"{mlp}.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop3 = Add("layer.2.dropout", new Dropout(c.DropoutRate));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_self.Forward(_selfNorm.Forward(x, pass), batch, pass), pass);
        if (_source is not null)
        {
            x += _drop2.Forward(_source.ToSource(_sourceNorm!.Forward(x, pass), batch, pass), pass);
        }
        return x + _drop3.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>T5 with its language-model head: <c>T5ForConditionalGeneration</c>.</summary>
public sealed class T5 : T5LanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    /// <param name="config">The file.</param>
    /// <param name="biasInEveryLayer">Whether each layer has biases of distances of its own (umT5, Chung et al. 2023, arXiv:2304.09151). Default: the first one's serve all.</param>
    public T5(ConfigReader config, bool biasInEveryLayer = false) : this(config, T5Config.Read(config), biasInEveryLayer)
    {
    }

    private T5(ConfigReader config, T5Config c, bool biasInEveryLayer) : base(config, c, (layer, decoder, bias) => new T5Block(c, layer, decoder, bias), biasInEveryLayer)
    {
    }
}
