using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)), under the names of CLIP's towers.</summary>
public sealed class ClipLayer : Block
{
    private readonly Seq2SeqAttention _attention;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _norm1, _norm2;

    internal ClipLayer(ClipTowerConfig c, int layer, bool causal)
    {
        _attention = Add("self_attn", new Seq2SeqAttention(c.Layer, c.Layer.EncoderAttentionHeads, layer, causal));
        _mlp = Add("mlp", new Seq2SeqMlp(c.Layer, c.Layer.EncoderFfnDim));
        _norm1 = Add("layer_norm1", new LayerNorm(c.Width, c.LayerNormEps));
        _norm2 = Add("layer_norm2", new LayerNorm(c.Width, c.LayerNormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_norm1.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_norm2.Forward(x, pass), pass);
    }
}

/// <summary>What <c>text_config</c> and <c>vision_config</c> of CLIP and SigLIP say.</summary>
/// <param name="Layer">Width, heads, layers and activation.</param>
/// <param name="LayerNormEps">Added to variances.</param>
public sealed record ClipTowerConfig(Seq2SeqConfig Layer, double LayerNormEps)
{
    /// <summary>C.</summary>
    public int Width => Layer.DModel;

    /// <summary>Reads one of the two objects.</summary>
    /// <param name="c">The object.</param>
    /// <param name="width">C where it is not there.</param>
    /// <param name="act">Activation where it is not there.</param>
    /// <param name="eps">Of the norms where it is not there.</param>
    public static ClipTowerConfig Read(ConfigReader c, int width, string act, double eps)
    {
        width = c.GetInt("hidden_size", width, min: 1, max: 1 << 20);
        int heads = c.GetInt("num_attention_heads", width / 64 > 0 ? width / 64 : 1, min: 1, max: width);
        ConfigChecks.Divides(c, "hidden_size", width, "num_attention_heads", heads);
        return new(new Seq2SeqConfig
        {
            DModel = width, EncoderAttentionHeads = heads, EncoderLayers = c.GetInt("num_hidden_layers", 12, min: 0, max: 4096), EncoderFfnDim = c.GetInt("intermediate_size", 4 * width, min: 1, max: 1 << 24),
            ActivationFunction = c.GetChoice("hidden_act", Activations.Names, act), AttentionDropout = c.GetDouble("attention_dropout", 0, min: 0, max: 0.999), InitStd = c.GetDouble("initializer_range", 0.02, min: 0),
            VocabSize = c.GetInt("vocab_size", 49408, min: 1, max: 1 << 26), MaxPositionEmbeddings = c.GetInt("max_position_embeddings", 77, min: 1, max: 1 << 20),
        }, c.GetDouble("layer_norm_eps", eps, min: 0));
    }
}

/// <summary>Token and position embeddings, layers and a norm: the text half of CLIP and SigLIP.</summary>
public sealed class ClipTextTower : Module
{
    private readonly Embedding _tokens, _positions;
    private readonly ClipLayer[] _layers;
    private readonly LayerNorm _norm;

    internal ClipTextTower(ClipTowerConfig c, bool causal)
    {
        Initializer init = Initializer.Normal(c.Layer.InitStd);
        _tokens = Add("embeddings.token_embedding", new Embedding(c.Layer.VocabSize, c.Width, init));
        _positions = Add("embeddings.position_embedding", new Embedding(c.Layer.MaxPositionEmbeddings, c.Width, init));
        _layers = [.. Enumerable.Range(0, c.Layer.EncoderLayers).Select(i => Add($"encoder.layers.{i}", new ClipLayer(c, i, causal)))];
        _norm = Add("final_layer_norm", new LayerNorm(c.Width, c.LayerNormEps));
    }

    /// <summary>(tokens, C).</summary>
    public Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _tokens.Forward(batch.Ids, pass) + _positions.Forward(batch.Positions, pass);
        foreach (ClipLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return _norm.Forward(x, pass);
    }
}

/// <summary>Patches, positions and layers: the picture half of CLIP and SigLIP.</summary>
public sealed class ClipVisionTower : Module
{
    private readonly Patches _patches;
    private readonly Parameter? _class;
    private readonly Parameter _positions;
    private readonly LayerNorm? _before;
    private readonly ClipLayer[] _layers;
    private readonly LayerNorm _after;

    internal ClipVisionTower(ClipTowerConfig c, ConfigReader config, bool classToken, bool patchBias, int patchSize)
    {
        Initializer init = Initializer.Normal(c.Layer.InitStd);
        int image = config.GetInt("image_size", 224, min: 1, max: 1 << 14), patch = config.GetInt("patch_size", patchSize, min: 1, max: image);
        _class = classToken ? Add("embeddings.class_embedding", [c.Width], init) : null;
        _patches = Add("embeddings.patch_embedding", new Patches(image, patch, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), c.Width, patchBias));
        _positions = Add("embeddings.position_embedding", new Embedding(_patches.Count + (classToken ? 1 : 0), c.Width, init)).Weight;
        _before = classToken ? Add("pre_layrnorm", new LayerNorm(c.Width, c.LayerNormEps)) : null;   // spelt so in every checkpoint
        _layers = [.. Enumerable.Range(0, c.Layer.EncoderLayers).Select(i => Add($"encoder.layers.{i}", new ClipLayer(c, i, causal: false)))];
        _after = Add("post_layernorm", new LayerNorm(c.Width, c.LayerNormEps));
    }

    /// <summary>The name of a tower's tensor within a larger model before transformers 5, or null where it is none of a tower.</summary>
    internal static string? OlderName(string name) => name.StartsWith("vision_tower.", StringComparison.Ordinal) ? $"vision_tower.vision_model.{name["vision_tower.".Length..]}" : null;

    /// <summary>Number of layers.</summary>
    public int Depth => _layers.Length;

    /// <summary>Pictures to (B, tokens, C) behind so many layers, without the norm at the end.</summary>
    public Tensor Forward(Tensor pixels, int layers, ForwardPass pass)
    {
        Tensor x = _patches.Forward(pixels, pass);
        x = (_class is null ? x : Patches.Prepend(pass.Scope.Use(_class), x)) + pass.Scope.Use(_positions);
        (long images, long length) = (x.Shape[0], x.Shape[1]);
        TokenBatch batch = Patches.Batch(images, length, pass.Scope);
        x = x.Reshape(images * length, -1);
        x = _before is null ? x : _before.Forward(x, pass);
        for (int i = 0; i < layers; i++)
        {
            x = _layers[i].Run(x, batch, pass);
        }
        return x.Reshape(images, length, -1);
    }

    /// <summary>The norm at the end.</summary>
    public Tensor Norm(Tensor x, ForwardPass pass) => _after.Forward(x, pass);
}
