using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// GPT-Neo (Black et al. 2021): GPT-2's layers with unscaled scores; every second one sees a local window only.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class GptNeoBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop;

    internal GptNeoBlock(DecoderConfig c, int layer, double dropout, double attentionDropout)
    {
        _attentionNorm = Add("ln_1", new LayerNorm(c.HiddenSize, c.NormEps));
        _attention = Add("attn.attention", new GroupedQueryAttention(c, layer, null, bias: false, outBias: true, "out_proj") { Scale = 1, Window = c.WindowOf(layer), Dropout = attentionDropout });
        _drop = Add("attn.resid_dropout", new Dropout(dropout));
        _mlpNorm = Add("ln_2", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "c_fc", "c_proj", c.InitializerRange, dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>GPT-Neo with its language-model head: <c>GPTNeoForCausalLM</c>.</summary>
public sealed class GptNeo : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50257, HiddenSize = 2048, IntermediateSize = 0, NumHiddenLayers = 24, NumAttentionHeads = 16, NormEps = 1e-5, HiddenAct = "gelu_new", TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public GptNeo(ConfigReader config) : this(config, ReadConfig(config))
    {
    }

    private GptNeo(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer")
    {
    }

    // attention_layers is what attention_types, [[["global", "local"], repetitions]], spells out.
    private static DecoderConfig ReadConfig(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys(Layers: "num_layers", Heads: "num_heads", NormEps: "layer_norm_epsilon", Act: "activation_function"));
        string[] kinds = config.Has("attention_layers") ? config.GetStrings("attention_layers") : [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => i % 2 == 0 ? "global" : "local")];
        if (kinds.Length != c.NumHiddenLayers || kinds.Any(k => k is not ("global" or "local")))
        {
            throw new CheckpointException(config.Source, $"\"attention_layers\" is [{string.Join(", ", kinds)}]; expected {c.NumHiddenLayers} of \"global\" and \"local\"");
        }
        return c with
        {
            SlidingWindow = config.GetInt("window_size", 256, min: 1),
            LayerTypes = Array.ConvertAll(kinds, k => k == "local" ? "sliding_attention" : "full_attention"),
            PadTokenId = null,
        };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        double Dropout(string key) => config.GetDouble(key, 0, min: 0, max: 0.999);
        (double residual, double attention) = (Dropout("resid_dropout"), Dropout("attention_dropout"));
        return new PositionedStack(c, i => new GptNeoBlock(c, i, residual, attention), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("wte", "h", "ln_f"), "wpe",
            dropout: Dropout("embed_dropout"));
    }
}
