using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Mamba (Gu and Dao 2023, arXiv:2312.00752): no attention; each layer is a short causal convolution and a selective state space, in which what
// is kept and forgotten depends on the input. A token costs the same at any length: the cache holds two states of fixed size per layer.
// T tokens of the batch, C hidden size, I inner width, N state size, R rank of the step sizes.

/// <summary>x + mixer(norm(x)).</summary>
public sealed class MambaBlock : Block
{
    private readonly RmsNorm _norm;
    private readonly MambaMixer _mixer;

    internal MambaBlock(MambaConfig c, int layer)
    {
        _norm = Add("norm", new RmsNorm(c.HiddenSize, c.LayerNormEpsilon));
        _mixer = Add("mixer", new MambaMixer(c, layer));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass) => x + _mixer.Forward(_norm.Forward(x, pass), batch, pass);
}

/// <summary>The stack below the head: <c>backbone</c> in checkpoints.</summary>
public sealed class MambaModel : Module
{
    private readonly Embedding _embed;
    private readonly MambaBlock[] _layers;
    private readonly RmsNorm _norm;

    internal MambaModel(MambaConfig c)
    {
        _embed = Add("embeddings", new Embedding(c.VocabSize, c.HiddenSize, Initializer.Normal(c.InitializerRange)));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"layers.{i}", new MambaBlock(c, i)))];
        _norm = Add("norm_f", new RmsNorm(c.HiddenSize, c.LayerNormEpsilon));
    }

    internal Parameter EmbeddingWeight => _embed.Weight;

    internal Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embed.Forward(batch.Ids, pass);   // (T, C)
        foreach (MambaBlock layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return _norm.Forward(x, pass);
    }
}

/// <summary>Mamba with its language-model head: <c>MambaForCausalLM</c>.</summary>
public sealed class Mamba : CausalLanguageModel
{
    private readonly MambaModel _model;
    private readonly Parameter _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Mamba(ConfigReader config) : base(config)
    {
        Config = MambaConfig.Read(config);
        _model = Add("backbone", new MambaModel(Config));
        _head = Config.TieWordEmbeddings ? _model.EmbeddingWeight
            : Add("lm_head", new Linear(Config.HiddenSize, Config.VocabSize, bias: false, initializer: Initializer.Normal(Config.InitializerRange))).Weight;
    }

    /// <summary>What it was built from.</summary>
    public MambaConfig Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _head;

    /// <inheritdoc/>
    public override string BasePrefix => "backbone.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>   // no embedding: the reference lists what each layer gives, then the norm
        Enumerable.Range(0, Config.NumHiddenLayers + 1).Select(i => ($"hidden.{i}", i == Config.NumHiddenLayers ? "backbone.norm_f" : $"backbone.layers.{i}"));

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => Config.TieWordEmbeddings && checkpointName == "lm_head.weight";

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _model.Forward(batch, pass);
}
