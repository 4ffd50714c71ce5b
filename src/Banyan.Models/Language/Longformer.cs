using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Longformer (Beltagy et al. 2020, arXiv:2004.05150): RoBERTa for long texts. A token sees a window around itself and the global tokens (global_attention_mask), which see
// everything and have queries, keys and values of their own.

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class LongformerLayer : Block
{
    private readonly LongformerSelfAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal LongformerLayer(EncoderConfig c, int layer, int window)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new LongformerSelfAttention(c, layer, window));
        _out = Add("attention.output.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _norm1 = Add("attention.output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop1 = Add("dropout1", new Dropout(c.HiddenDropoutProb));
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop2 = Add("dropout2", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _norm1.Forward(x + _drop1.Forward(_out.Forward(_attention.Forward(x, batch, pass), pass), pass), pass);
        return _norm2.Forward(x + _drop2.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass), pass);
    }
}

/// <summary>Embeddings and layers: <c>longformer</c> in checkpoints.</summary>
public sealed class LongformerModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly LongformerLayer[] _layers;
    private readonly Linear? _pooler;
    private readonly bool _firstIsGlobal;

    /// <summary>An encoder.</summary>
    /// <param name="config">The file.</param>
    /// <param name="pooler">Whether it has a pooler.</param>
    /// <param name="firstIsGlobal">Whether, unless the caller says otherwise, the first token of each text is global, as a classifier wants it.</param>
    internal LongformerModel(ConfigReader config, bool pooler = false, bool firstIsGlobal = false)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { PadTokenId = 1 });
        int[] windows = LongformerSelfAttention.ReadWindows(config, c.NumHiddenLayers);
        _firstIsGlobal = firstIsGlobal;
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, counted: true));
        _layers = [.. windows.Select((w, i) => Add($"encoder.layer.{i}", new LongformerLayer(c, i, w)))];
        _pooler = pooler ? Add("pooler.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange))) : null;
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "longformer";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.HiddenDropoutProb;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "embeddings", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override TokenBatch Tokens(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch batch = base.Tokens(inputs, pass);
        if (inputs.GlobalTokens() is { } given)
        {
            batch.Global = given;
        }
        else if (_firstIsGlobal)
        {
            batch.Global = new bool[batch.Tokens];
            for (int s = 0; s < batch.Layout.Count; s++)
            {
                batch.Global[batch.Layout[s].QueryStart] = true;
            }
        }
        return batch;
    }

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        foreach (LongformerLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => _pooler?.Forward(batch.First(hidden), pass).Tanh();

    // Weights of tasks that were not asked for may lie beside the encoder; old checkpoints store positions 0, 1, 2 ...
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("lm_head.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal)
        || (_pooler is null && checkpointName.Contains("pooler.dense", StringComparison.Ordinal));
}

internal static class LongformerHeads
{
    private static readonly MaskedHeadNames Names = new("lm_head.dense", "lm_head.layer_norm", "lm_head.bias");

    /// <summary>The head over masked tokens, with the exact gelu whatever the layers have.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((LongformerModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get("gelu"), c.LayerNormEps, c.InitializerRange);
    }
}
