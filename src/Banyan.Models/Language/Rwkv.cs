using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// RWKV-4 (Peng et al. 2023, arXiv:2305.13048): attention whose weight decays with the distance, which makes it a recurrence of three numbers for each channel, and a look at the token before in
// place of positions. T tokens, C width, A width of the attention.

/// <summary>Configuration of <see cref="Rwkv"/>, by the keys of <c>config.json</c>.</summary>
public sealed record RwkvConfig
{
    /// <summary>Number of token ids. Default: 50277.</summary>
    public int VocabSize { get; init; } = 50277;

    /// <summary>C. Default: 4096.</summary>
    public int HiddenSize { get; init; } = 4096;

    /// <summary>A. Default: C.</summary>
    public int AttentionHiddenSize { get; init; } = 4096;

    /// <summary>Width within a channel mix. Default: 4 C.</summary>
    public int IntermediateSize { get; init; } = 16384;

    /// <summary>Number of layers. Default: 32.</summary>
    public int NumHiddenLayers { get; init; } = 32;

    /// <summary>Added to the variance in norms. Default: 1e-5.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the head is the embedding. Default: false.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Layers after which the hidden state is halved while generating, so that float16 does not overflow; the weights make up for it. Default: 6; 0: never.</summary>
    public int RescaleEvery { get; init; } = 6;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static RwkvConfig Read(ConfigReader c)
    {
        int width = c.GetInt("hidden_size", 4096, min: 1, max: 1 << 20);
        return new RwkvConfig
        {
            VocabSize = c.GetInt("vocab_size", 50277, min: 1, max: 1 << 26),
            HiddenSize = width,
            AttentionHiddenSize = c.GetInt("attention_hidden_size", width, min: 1, max: 1 << 20),
            IntermediateSize = c.GetInt("intermediate_size", 4 * width, min: 1, max: 1 << 24),
            NumHiddenLayers = c.GetInt("num_hidden_layers", 32, min: 0, max: 4096),
            LayerNormEpsilon = c.GetDouble("layer_norm_epsilon", 1e-5, min: 0),
            TieWordEmbeddings = c.GetBool("tie_word_embeddings", false),
            RescaleEvery = c.GetInt("rescale_every", 6, min: 0),
        };
    }
}

/// <summary>A mix of each token with the one before it: mix x_t + (1 - mix) x_(t-1).</summary>
internal static class TokenShift
{
    /// <summary>The token before each (T, C); zeros before the first.</summary>
    public static Tensor Before(Tensor x, int layer, string name, TokenBatch batch) => batch.Recur(layer, name, (span, last) =>
    {
        Tensor own = x.Slice(0, span.QueryStart, span.QueryLength), end = own.Slice(0, span.QueryLength - 1, 1);
        Tensor first = last?.Clone(x.Scope) ?? x.Scope!.Zeros([1, x.Shape[1]], x.DType); // a copy: the cache's own is overwritten
        return (span.QueryLength == 1 ? first : Tensor.Cat([first, own.Slice(0, 0, span.QueryLength - 1)], 0), end);
    });

    public static Tensor Mix(Tensor x, Tensor before, Parameter mix, ForwardPass pass) => before + (x - before) * pass.Scope.Use(mix).Reshape(1, -1);
}

/// <summary>
/// Time mix: receptance * wkv, with wkv_t = (sum over s before t of exp(-(t - 1 - s) w + k_s) v_s + exp(u + k_t) v_t) / (the same without v). The sums are kept relative to their largest
/// exponent, so that none overflows.
/// </summary>
public sealed class RwkvAttention : Module
{
    private readonly int _layer;
    private readonly Parameter _decay, _first, _mixKey, _mixValue, _mixReceptance;
    private readonly Linear _key, _value, _receptance, _out;

    internal RwkvAttention(RwkvConfig c, int layer)
    {
        _layer = layer;
        (int width, int inner) = (c.HiddenSize, c.AttentionHiddenSize);
        double depth = c.NumHiddenLayers > 1 ? layer / (c.NumHiddenLayers - 1.0) : 0, left = 1 - (double)layer / Math.Max(1, c.NumHiddenLayers);
        _decay = Add("time_decay", [inner], Initializer.Of((i, _) => -5 + 8 * Math.Pow(i / Math.Max(1.0, inner - 1), 0.7 + 1.3 * depth)));
        _first = Add("time_first", [inner], Initializer.Of((i, _) => Math.Log(0.3) + ((i + 1) % 3 - 1) * 0.5));
        Parameter Mix(string name, double power, double extra = 0) => Add(name, [1, 1, width], Initializer.Of((_, i) => Math.Pow((double)i / width, power) + extra));
        _mixKey = Mix("time_mix_key", left);
        _mixValue = Mix("time_mix_value", left, 0.3 * depth);
        _mixReceptance = Mix("time_mix_receptance", 0.5 * left);
        _key = Add("key", new Linear(width, inner, bias: false));
        _value = Add("value", new Linear(width, inner, bias: false));
        _receptance = Add("receptance", new Linear(width, inner, bias: false));
        _out = Add("output", new Linear(inner, width, bias: false));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor before = TokenShift.Before(x, _layer, "time", batch);
        Tensor k = _key.Forward(TokenShift.Mix(x, before, _mixKey, pass), pass), v = _value.Forward(TokenShift.Mix(x, before, _mixValue, pass), pass);
        Tensor r = _receptance.Forward(TokenShift.Mix(x, before, _mixReceptance, pass), pass).Sigmoid();
        Tensor fade = -pass.Scope.Use(_decay).Exp(), bonus = pass.Scope.Use(_first);
        Tensor wkv = batch.Recur(_layer, "wkv", (span, state) => Scan(k.Slice(0, span.QueryStart, span.QueryLength), v.Slice(0, span.QueryStart, span.QueryLength), fade, bonus, state));
        return pass.Visit(this, _out.Forward(r * wkv, pass));
    }

    // State: sum of weighted values, sum of weights, and the exponent that both are relative to (3, A).
    private static (Tensor Y, Tensor State) Scan(Tensor k, Tensor v, Tensor fade, Tensor bonus, Tensor? state)
    {
        (long length, long width) = (k.Shape[0], k.Shape[1]);
        Tensor? top = state?.Select(0, 0), bottom = state?.Select(0, 1), scale = state?.Select(0, 2);
        var rows = new Tensor[length];
        for (long t = 0; t < length; t++)
        {
            Tensor kt = k.Select(0, t), vt = v.Select(0, t);
            if (top is null)
            {
                (rows[t], top, bottom, scale) = (vt, vt, kt.Scope!.Zeros([width], kt.DType) + 1, kt);
                continue;
            }
            Tensor own = kt + bonus, largest = Tensor.Maximum(scale!, own), past = (scale! - largest).Exp(), now = (own - largest).Exp();
            rows[t] = (past * top + now * vt) / (past * bottom! + now);
            Tensor faded = scale! + fade;
            largest = Tensor.Maximum(faded, kt);
            (past, now) = ((faded - largest).Exp(), (kt - largest).Exp());
            (top, bottom, scale) = (past * top + now * vt, past * bottom! + now, largest);
        }
        return (Tensor.Stack(rows, 0), Tensor.Stack([top!, bottom!, scale!], 0));
    }
}

/// <summary>Channel mix: receptance * value(relu(key)^2).</summary>
public sealed class RwkvFeedForward : Module
{
    private readonly int _layer;
    private readonly Parameter _mixKey, _mixReceptance;
    private readonly Linear _key, _value, _receptance;

    internal RwkvFeedForward(RwkvConfig c, int layer)
    {
        _layer = layer;
        double left = 1 - (double)layer / Math.Max(1, c.NumHiddenLayers);
        Parameter Mix(string name) => Add(name, [1, 1, c.HiddenSize], Initializer.Of((_, i) => Math.Pow((double)i / c.HiddenSize, left)));
        (_mixKey, _mixReceptance) = (Mix("time_mix_key"), Mix("time_mix_receptance"));
        _key = Add("key", new Linear(c.HiddenSize, c.IntermediateSize, bias: false));
        _receptance = Add("receptance", new Linear(c.HiddenSize, c.HiddenSize, bias: false));
        _value = Add("value", new Linear(c.IntermediateSize, c.HiddenSize, bias: false));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor before = TokenShift.Before(x, _layer, "channel", batch);
        Tensor h = _key.Forward(TokenShift.Mix(x, before, _mixKey, pass), pass).Relu().Square();
        return pass.Visit(this, _receptance.Forward(TokenShift.Mix(x, before, _mixReceptance, pass), pass).Sigmoid() * _value.Forward(h, pass));
    }
}

/// <summary>x + time mix(norm(x)), then x + channel mix(norm(x)); the first layer norms the embedding.</summary>
public sealed class RwkvBlock : Block
{
    private readonly LayerNorm? _first;
    private readonly LayerNorm _norm1, _norm2;
    private readonly RwkvAttention _attention;
    private readonly RwkvFeedForward _feedForward;

    internal RwkvBlock(RwkvConfig c, int layer)
    {
        _first = layer == 0 ? Add("pre_ln", new LayerNorm(c.HiddenSize, c.LayerNormEpsilon)) : null;
        (_norm1, _norm2) = (Add("ln1", new LayerNorm(c.HiddenSize, c.LayerNormEpsilon)), Add("ln2", new LayerNorm(c.HiddenSize, c.LayerNormEpsilon)));
        _attention = Add("attention", new RwkvAttention(c, layer));
        _feedForward = Add("feed_forward", new RwkvFeedForward(c, layer));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _first is null ? x : _first.Forward(x, pass);
        x += _attention.Forward(_norm1.Forward(x, pass), batch, pass);
        return x + _feedForward.Forward(_norm2.Forward(x, pass), batch, pass);
    }
}

/// <summary>RWKV-4 with its language-model head: <c>RwkvForCausalLM</c>.</summary>
public sealed class Rwkv : CausalLanguageModel
{
    private readonly Embedding _embed;
    private readonly RwkvBlock[] _layers;
    private readonly LayerNorm _norm;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Rwkv(ConfigReader config) : base(config)
    {
        RwkvConfig c = Config = RwkvConfig.Read(config);
        _embed = Add("rwkv.embeddings", new Embedding(c.VocabSize, c.HiddenSize, Initializer.Uniform(1e-4)));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"rwkv.blocks.{i}", new RwkvBlock(c, i)))];
        _norm = Add("rwkv.ln_out", new LayerNorm(c.HiddenSize));
        HeadWeight = c.TieWordEmbeddings ? _embed.Weight : Add("head", new Linear(c.HiddenSize, c.VocabSize, bias: false)).Weight;
    }

    /// <summary>What it was built from.</summary>
    public RwkvConfig Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override Parameter HeadWeight { get; }

    /// <inheritdoc/>
    public override string BasePrefix => "rwkv.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>   // no embedding: the reference lists what each layer gives, then the norm
        Enumerable.Range(0, Config.NumHiddenLayers + 1).Select(i => ($"hidden.{i}", i == Config.NumHiddenLayers ? "rwkv.ln_out" : $"rwkv.blocks.{i}"));

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => Config.TieWordEmbeddings && checkpointName == "head.weight";

    // Halving every few layers is for float16 only: in float32 it would change nothing but the last bits.
    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _layers.Aggregate(_embed.Forward(batch.Ids, pass), (h, layer) => layer.Run(h, batch, pass));
        batch.AdvanceCaches();
        return _norm.Forward(x, pass);
    }
}
