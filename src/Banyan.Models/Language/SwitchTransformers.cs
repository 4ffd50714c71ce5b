using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Switch Transformers (Fedus et al. 2021, arXiv:2101.03961): T5 whose every n-th MLP is a mixture of experts of which a token uses one. The router's probability is the expert's
// weight; an expert takes expert_capacity tokens of a text, and what comes later passes it by.

/// <summary>Configuration of the mixtures, by the keys of <c>config.json</c>.</summary>
/// <param name="NumExperts">Number of experts. Default: 8.</param>
/// <param name="ExpertCapacity">Tokens of a text that an expert takes. Default: 64.</param>
/// <param name="RouterBias">Whether the router has a bias. Default: false.</param>
/// <param name="RouterJitterNoise">In training the router's input is multiplied by 1 +- this. Default: 0.01.</param>
/// <param name="EncoderStep">Every how many layers of the encoder have experts; 0: none.</param>
/// <param name="DecoderStep">The same of the decoder.</param>
public sealed record SwitchConfig(int NumExperts, int ExpertCapacity, bool RouterBias, double RouterJitterNoise, int EncoderStep, int DecoderStep)
{
    /// <summary>Whether the routers' losses join the model's. Default: false.</summary>
    public bool OutputRouterLogits { get; init; }

    /// <summary>Factor of the loss that keeps the routers' logits small. Default: 0.001.</summary>
    public double RouterZLossCoef { get; init; } = 0.001;

    /// <summary>Factor of the loss that balances the experts. Default: 0.001.</summary>
    public double RouterAuxLossCoef { get; init; } = 0.001;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static SwitchConfig Read(ConfigReader c, T5Config t5)
    {
        c.GetChoice("router_dtype", ["float32"], "float32");
        int Step(string key, string count, int layers)
        {
            int sparse = c.GetInt(count, 3, min: 0, max: 4096);
            return c.GetInt(key, sparse > 0 ? Math.Max(1, layers / sparse) : layers, min: 0, max: 4096);
        }
        return new(c.GetInt("num_experts", 8, min: 1, max: 1 << 16), c.GetInt("expert_capacity", 64, min: 1), c.GetBool("router_bias", false), c.GetDouble("router_jitter_noise", 0.01, min: 0, max: 1),
            Step("encoder_sparse_step", "num_sparse_encoder_layers", t5.NumLayers), Step("decoder_sparse_step", "num_sparse_decoder_layers", t5.NumDecoderLayers))
        {
            OutputRouterLogits = c.GetBool("output_router_logits", false), RouterZLossCoef = c.GetDouble("router_z_loss_coef", 0.001, min: 0), RouterAuxLossCoef = c.GetDouble("router_aux_loss_coef", 0.001, min: 0),
        };
    }

    internal bool IsSparse(int layer, bool decoder)
    {
        int step = decoder ? DecoderStep : EncoderStep;
        return step == 1 || (step > 1 && layer % step == 1);
    }
}

/// <summary>One expert for each token: <c>router.classifier</c>, <c>experts.expert_N</c>.</summary>
public sealed class SwitchMixture : Module
{
    private readonly SwitchConfig _c;
    private readonly Linear _router;
    private readonly T5Mlp[] _experts;

    internal SwitchMixture(T5Config t5, SwitchConfig c)
    {
        _c = c;
        _router = Add("router.classifier", new Linear(t5.DModel, c.NumExperts, c.RouterBias, initializer: Initializer.Normal(t5.InitializerFactor)));
        _experts = [.. Enumerable.Range(0, c.NumExperts).Select(e => Add($"experts.expert_{e}", new T5Mlp(t5)))];
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor logits = pass.Routed(this, _router.Forward(Jittered(x, pass), pass));                  // (T, E)
        (Tensor weights, Tensor chosen) = Routings.SoftmaxTopK(1, normalise: false)(logits);
        return pass.Visit(this, Experts.Apply(x, WithinCapacity(weights, chosen, batch.Layout), chosen, _experts.Length, (e, rows) => _experts[e].Forward(rows, pass)));
    }

    private Tensor Jittered(Tensor x, ForwardPass pass)
    {
        if (!pass.Training || _c.RouterJitterNoise == 0)
        {
            return x;
        }
        Tensor noise = Tensor.Zeros(x.Shape);
        noise.FillUniform(_c.RouterJitterNoise, (long)pass.DropoutSeed(this));
        return x * (pass.Scope.Use(noise) + 1);
    }

    // A weight of 0 is as good as no expert.
    private Tensor WithinCapacity(Tensor weights, Tensor chosen, SequenceLayout layout)
    {
        if (layout.MaxQueryLength <= _c.ExpertCapacity || weights.Device == Device.Meta)
        {
            return weights;
        }
        long[] experts = chosen.ToArray<long>();
        var keep = new float[experts.Length];
        for (int s = 0; s < layout.Count; s++)
        {
            var taken = new int[_c.NumExperts];
            for (long t = layout[s].QueryStart; t < layout[s].QueryStart + layout[s].QueryLength; t++)
            {
                keep[t] = ++taken[experts[t]] <= _c.ExpertCapacity ? 1 : 0;
            }
        }
        return weights * weights.Scope!.From(keep, [keep.Length, 1]);
    }
}

/// <summary>x + attention(norm(x)), in the decoder x + attention to the source, then x + mlp(norm(x)), where the MLP may be a mixture.</summary>
public sealed class SwitchBlock : Block
{
    private readonly RmsNorm _selfNorm, _mlpNorm;
    private readonly RmsNorm? _sourceNorm;
    private readonly T5Attention _self;
    private readonly T5Attention? _source;
    private readonly T5Mlp? _mlp;
    private readonly SwitchMixture? _mixture;
    private readonly Dropout _drop1, _drop2, _drop3;

    internal SwitchBlock(T5Config c, SwitchConfig mixture, int layer, bool decoder, T5RelativeBias bias)
    {
        string mlp = decoder ? "layer.2" : "layer.1";
        bool sparse = mixture.IsSparse(layer, decoder);
        _self = Add("layer.0.SelfAttention", new T5Attention(c, layer, causal: decoder, bias));
        _selfNorm = Add("layer.0.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop1 = Add("layer.0.dropout", new Dropout(c.DropoutRate));
        _source = decoder ? Add("layer.1.EncDecAttention", new T5Attention(c, layer, causal: false, null)) : null;
        _sourceNorm = decoder ? Add("layer.1.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon)) : null;
        _drop2 = Add("layer.1.dropout", new Dropout(c.DropoutRate));
        _mlp = sparse ? null : Add($"{mlp}.mlp", new T5Mlp(c));
        _mixture = sparse ? Add($"{mlp}.mlp", new SwitchMixture(c, mixture)) : null;
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
        Tensor normed = _mlpNorm.Forward(x, pass);
        return x + _drop3.Forward(_mixture is null ? _mlp!.Forward(normed, pass) : _mixture.Forward(normed, batch, pass), pass);
    }
}

/// <summary>Switch Transformers with their language-model head: <c>SwitchTransformersForConditionalGeneration</c>.</summary>
public sealed class SwitchTransformers : T5LanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public SwitchTransformers(ConfigReader config) : this(config, ReadT5(config))
    {
    }

    private SwitchTransformers(ConfigReader config, T5Config c) : this(config, c, SwitchConfig.Read(config, c))
    {
    }

    private SwitchTransformers(ConfigReader config, T5Config c, SwitchConfig mixture) : base(config, c, (layer, decoder, bias) => new SwitchBlock(c, mixture, layer, decoder, bias)) => Mixture = mixture;

    /// <summary>What its mixtures were built from.</summary>
    public SwitchConfig Mixture { get; }

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        if (!Mixture.OutputRouterLogits)
        {
            return base.Run(inputs, pass);
        }
        List<Tensor> routers = [];
        pass.RouterLogits = routers;
        ModelOutputs outputs = base.Run(inputs, pass);
        if (outputs.Loss is not { } loss)
        {
            return outputs;
        }
        long texts = outputs.Find("logits")!.Shape[0];
        int encoders = Enumerable.Range(0, Config.NumLayers).Count(i => Mixture.IsSparse(i, decoder: false));
        foreach (List<Tensor> stack in (List<Tensor>[])[routers[..encoders], routers[encoders..]])
        {
            loss = stack.Count == 0 ? loss : loss + RouterLosses(Tensor.Cat([.. stack.Select(l => l.Reshape(texts, -1, Mixture.NumExperts))], 1));
        }
        ModelOutputs joined = new ModelOutputs().With("loss", loss);
        foreach ((string name, Tensor value) in outputs.Tensors.Where(t => t.Name != "loss"))
        {
            joined.With(name, value);
        }
        return joined;
    }

    // Logits (B, tokens of all layers, E): z = mean of logsumexp^2 (Zoph et al. 2022, arXiv:2202.08906); aux = E times the sum over experts of the share of a text's tokens that chose
    // it times its mean probability there, averaged over texts.
    private Tensor RouterLosses(Tensor logits)
    {
        Tensor z = logits.LogSumExp(-1), probabilities = logits.Softmax(-1);
        Tensor share = (probabilities.Detach() * 0).Scatter(-1, probabilities.Detach().TopK(1).Indices, 1).Mean(1);   // (B, E)
        return (z * z).Mean() * Mixture.RouterZLossCoef + (share * probabilities.Mean(1)).Sum(-1).Mean() * (Mixture.NumExperts * Mixture.RouterAuxLossCoef);
    }

    private static T5Config ReadT5(ConfigReader config)
    {
        T5Config c = T5Config.Read(config, new() { DModel = 768, NumLayers = 12, NumHeads = 12 });
        return c with { DenseActFn = config.GetChoice("dense_act_fn", Activations.Names, c.DenseActFn) };
    }
}
