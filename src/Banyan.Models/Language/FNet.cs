using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// FNet (Lee-Thorp et al. 2021, arXiv:2105.03824): instead of attention the real part of a Fourier transform over the words and their channels, which has no parameters.
// It sees padding as it sees words.

/// <summary>norm(x + Fourier(x)), then norm(x + mlp(x)).</summary>
public sealed class FNetLayer : Block
{
    private readonly Linear _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop;
    private readonly Func<Tensor, Tensor> _act;

    internal FNetLayer(EncoderConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _norm1 = Add("fourier.output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _up = Add("intermediate.dense", new Linear(c.HiddenSize, c.IntermediateSize, initializer: init));
        _down = Add("output.dense", new Linear(c.IntermediateSize, c.HiddenSize, initializer: init));
        _norm2 = Add("output.LayerNorm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x = _norm1.Forward(x + Mix(x, batch.Layout), pass);
        return _norm2.Forward(x + _drop.Forward(_down.Forward(_act(_up.Forward(x, pass)), pass), pass), pass);
    }

    private static Tensor Mix(Tensor x, SequenceLayout layout)
    {
        var rows = new Tensor[layout.Count];
        for (int s = 0; s < rows.Length; s++)
        {
            Tensor own = x.Slice(0, layout[s].QueryStart, layout[s].QueryLength);                            // (T, C)
            Tensor complex = Tensor.Cat([own.Unsqueeze(2), (own * 0).Unsqueeze(2)], 2);
            rows[s] = Fourier.Fft(Fourier.Fft(complex, dim: 1), dim: 0).Select(2, 0);
        }
        return rows.Length == 1 ? rows[0] : Tensor.Cat(rows, 0);
    }
}

/// <summary>Embeddings and layers: <c>fnet</c> in checkpoints.</summary>
public sealed class FNetModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly Linear _project;
    private readonly Linear? _pooler;
    private readonly FNetLayer[] _layers;
    private readonly Dropout _drop;

    internal FNetModel(ConfigReader config, bool pooler = false)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 32000, HiddenAct = "gelu_new", TypeVocabSize = 4, PadTokenId = 3, NumAttentionHeads = 1 });
        Initializer init = Initializer.Normal(c.InitializerRange);
        _embeddings = Add("embeddings", new EncoderEmbeddings(c with { HiddenDropoutProb = 0 }));
        _project = Add("embeddings.projection", new Linear(c.HiddenSize, c.HiddenSize, initializer: init));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new FNetLayer(c)))];
        _pooler = pooler ? Add("pooler.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: init)) : null;
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "fnet";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.HiddenDropoutProb;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "projected", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = pass.Visit(this, "projected", _drop.Forward(_project.Forward(_embeddings.Forward(batch, pass), pass), pass));   // (T, C)
        foreach (FNetLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => _pooler?.Forward(batch.First(hidden), pass).Tanh();

    // Weights of tasks that were not asked for may lie beside the encoder.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("cls.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal)
        || (_pooler is null && checkpointName.Contains("pooler.dense", StringComparison.Ordinal));
}

internal static class FNetHeads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((FNetModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
