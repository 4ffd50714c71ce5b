using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ELECTRA (Clark et al. 2020, arXiv:2003.10555): a small generator fills in masked tokens, the model that is kept tells for every token whether it was replaced.
// The embeddings may be narrower than the layers.

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class ElectraLayer : Block
{
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal ElectraLayer(EncoderConfig c, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new EncoderAttention(c, layer));
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

/// <summary>Embeddings and layers: <c>electra</c> in checkpoints.</summary>
public sealed class ElectraModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly ElectraLayer[] _layers;
    private readonly Linear? _project;

    internal ElectraModel(ConfigReader config)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { HiddenSize = 256, IntermediateSize = 1024, NumAttentionHeads = 4, EmbeddingSize = 128 });
        _embeddings = Add("embeddings", new EncoderEmbeddings(c));
        _project = c.EmbeddingSize == c.HiddenSize ? null : Add("embeddings_project", new Linear(c.EmbeddingSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new ElectraLayer(c, i)))];
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "electra";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "projected", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        x = pass.Visit(this, "projected", _project is null ? x : _project.Forward(x, pass));
        foreach (ElectraLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => null;

    // Weights of tasks that were not asked for may lie beside the encoder; old checkpoints store positions 0, 1, 2 ...
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("generator_", StringComparison.Ordinal) || checkpointName.StartsWith("discriminator_predictions.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal);
}

internal static class ElectraHeads
{
    private static readonly MaskedHeadNames Names = new("generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head.bias");

    /// <summary>The generator's head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((ElectraModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get("gelu"), c.LayerNormEps, c.InitializerRange);
    }
}

/// <summary>Was this token replaced? One logit for each token: <c>ElectraForPreTraining</c>. Padding does not count in the loss.</summary>
public sealed class ElectraForPreTraining : EncoderTask
{
    private readonly Linear _dense, _prediction;
    private readonly Func<Tensor, Tensor> _act;

    /// <summary>A model without weights; initialise or load it.</summary>
    public ElectraForPreTraining(ConfigReader config) : base(config, new ElectraModel(config))
    {
        EncoderConfig c = ((ElectraModel)Encoder).Config;
        _act = Activations.Get(c.HiddenAct);
        _dense = Add("discriminator_predictions.dense", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        _prediction = Add("discriminator_predictions.dense_prediction", new Linear(c.HiddenSize, 1, initializer: Initializer.Normal(c.InitializerRange)));
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? labels = inputs.Find("labels"), mask = inputs.Find("attention_mask");
        inputs.CheckAllRead();
        Tensor logits = _prediction.Forward(_act(_dense.Forward(hidden, pass)), pass).Reshape(-1);
        return new ModelOutputs().With("loss", labels is null ? null : Loss(logits, labels, mask, pass.Scope)).With("logits", logits.Reshape(ids));
    }

    private static Tensor Loss(Tensor logits, Tensor labels, Tensor? mask, Scope scope)
    {
        Tensor each = Banyan.Loss.BinaryCrossEntropyWithLogits(logits, scope.Use(labels.Reshape(-1)).To(DType.Float32), reduction: Reduction.None);
        return mask is null ? each.Mean() : (each * scope.Use(mask.Reshape(-1)).To(DType.Float32)).Sum() / mask.ToDoubles().Sum();
    }
}
