using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Reformer (Kitaev et al. 2020, arXiv:2001.04451) with local attention: a reversible residual of two streams, y1 = x1 + attention(x2), y2 = x2 + mlp(y1), of which a layer's
// input could be computed again from its output; and attention among neighbouring chunks of tokens, which wrap around at the ends. Layers that hash ("lsh") are refused.
// T tokens of the batch, C hidden size, H heads, D head size.

/// <summary>Configuration of <see cref="ReformerModel"/>, by the keys of <c>config.json</c>.</summary>
/// <param name="VocabSize">Number of token ids. Default: 320.</param>
/// <param name="HiddenSize">C. Default: 256.</param>
/// <param name="NumAttentionHeads">H. Default: 12.</param>
/// <param name="AttentionHeadSize">D. Default: 64.</param>
/// <param name="FeedForwardSize">Width of the MLP. Default: 512.</param>
/// <param name="NumLayers">Entries of attn_layers.</param>
/// <param name="ChunkLength">Tokens of a chunk. Default: 64.</param>
/// <param name="ChunksBefore">Chunks before its own that a query sees. Default: 1.</param>
/// <param name="ChunksAfter">Chunks behind its own that a query sees. Default: 0.</param>
/// <param name="MaxPositionEmbeddings">Context length. Default: 4096.</param>
public sealed record ReformerConfig(int VocabSize, int HiddenSize, int NumAttentionHeads, int AttentionHeadSize, int FeedForwardSize, int NumLayers, int ChunkLength, int ChunksBefore,
    int ChunksAfter, int MaxPositionEmbeddings)
{
    /// <summary>Activation of the MLP. Default: relu.</summary>
    public string HiddenAct { get; init; } = "relu";

    /// <summary>Added to the variance in norms. Default: 1e-12.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Dropout of embeddings and of what is added to the streams. Default: 0.05, in training only.</summary>
    public double HiddenDropoutProb { get; init; } = 0.05;

    /// <summary>Dropout of attention weights. Default: 0.05, in training only.</summary>
    public double AttentionDropoutProb { get; init; } = 0.05;

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static ReformerConfig Read(ConfigReader c)
    {
        string[] layers = c.GetStrings("attn_layers");
        void Require(string key, bool holds, string given, string expected)
        {
            if (!holds)
            {
                throw new CheckpointException(c.Source, $"\"{key}\" is {given}; expected {expected}");
            }
        }
        Require("attn_layers", layers.Length > 0 && layers.All(l => l == "local"), layers.Length == 0 ? "missing" : string.Join(", ", layers), "only \"local\": attention by hashing (lsh) is not supported");
        Require("axial_pos_embds", !c.GetBool("axial_pos_embds", true), "true", "false: axial positions are not supported");
        Require("is_decoder", !c.GetBool("is_decoder", false), "true", "false: Reformer as a decoder is not supported");
        int count = c.GetInt("num_hidden_layers", layers.Length, min: 1, max: 4096);
        Require("num_hidden_layers", count == layers.Length, $"{count}", $"{layers.Length}, as many as attn_layers has");
        return new(c.GetInt("vocab_size", 320, min: 1, max: 1 << 26), c.GetInt("hidden_size", 256, min: 1, max: 1 << 20), c.GetInt("num_attention_heads", 12, min: 1, max: 1 << 16),
            c.GetInt("attention_head_size", 64, min: 1, max: 1 << 16), c.GetInt("feed_forward_size", 512, min: 1, max: 1 << 24), layers.Length,
            c.GetInt("local_attn_chunk_length", 64, min: 1, max: 1 << 24), c.GetInt("local_num_chunks_before", 1, min: 0, max: 1 << 16), c.GetInt("local_num_chunks_after", 0, min: 0, max: 1 << 16),
            c.GetInt("max_position_embeddings", 4096, min: 1))
        {
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, "relu"), LayerNormEps = c.GetDouble("layer_norm_eps", 1e-12, min: 0),
            HiddenDropoutProb = c.GetDouble("hidden_dropout_prob", 0.05, min: 0, max: 0.999), AttentionDropoutProb = c.GetDouble("local_attention_probs_dropout_prob", 0.05, min: 0, max: 0.999),
            InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
        };
    }
}

/// <summary>Attention among chunks: a chunk sees itself, those before and those after it, around the ends.</summary>
public sealed class ReformerAttention : Module
{
    private readonly ReformerConfig _c;
    private readonly Linear _q, _k, _v, _out;

    internal ReformerAttention(ReformerConfig c)
    {
        _c = c;
        Initializer init = Initializer.Normal(c.InitializerRange);
        int inner = c.NumAttentionHeads * c.AttentionHeadSize;
        Linear Project(string name) => Add($"self_attention.{name}", new Linear(c.HiddenSize, inner, bias: false, initializer: init));
        (_q, _k, _v) = (Project("query"), Project("key"), Project("value"));
        _out = Add("output.dense", new Linear(inner, c.HiddenSize, bias: false, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Heads(Linear project) => project.Forward(x, pass).Reshape(-1, _c.NumAttentionHeads, _c.AttentionHeadSize);   // (T, H, D)
        var options = new AttentionOptions { Dropout = pass.Training ? _c.AttentionDropoutProb : 0, Seed = pass.DropoutSeed(this) };
        var sparse = new SparseAttention();
        for (int s = 0; s < batch.Layout.Count; s++)
        {
            AddChunks(sparse, batch.Layout, batch.Layout[s]);
        }
        Tensor y = sparse.Apply(Heads(_q), Heads(_k), Heads(_v), options);
        return pass.Visit(this, _out.Forward(y.Reshape(y.Shape[0], -1), pass));
    }

    // A text that is no multiple of the chunk ends in padding, which nothing sees. Where it has fewer chunks than a query sees, some count twice, as in the reference.
    private void AddChunks(SparseAttention sparse, SequenceLayout layout, SequenceSpan span)
    {
        int chunk = _c.ChunkLength, chunks = (int)((span.QueryLength + chunk - 1) / chunk);
        bool Visible(long t) => span.KeyMaskStart < 0 || layout.KeyMask![span.KeyMaskStart + t];
        IEnumerable<long> Keys(int n)
        {
            long start = (long)((n % chunks + chunks) % chunks) * chunk;
            for (long t = start; t < Math.Min(start + chunk, span.QueryLength); t++)
            {
                if (Visible(t))
                {
                    yield return span.QueryStart + t;
                }
            }
        }
        for (int n = 0; n < chunks; n++)
        {
            int first = chunks == 1 ? n : n - _c.ChunksBefore, last = chunks == 1 ? n : n + _c.ChunksAfter;
            sparse.Add(span.QueryStart + (long)n * chunk, Math.Min(chunk, span.QueryLength - (long)n * chunk), [.. Enumerable.Range(first, last - first + 1).SelectMany(Keys)]);
        }
    }
}

/// <summary>Both streams side by side (T, 2 C) to the same: y1 = x1 + attention(norm(x2)), y2 = x2 + mlp(norm(y1)).</summary>
public sealed class ReformerLayer : Block
{
    private readonly ReformerAttention _attention;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Linear _up, _down;
    private readonly Dropout _drop1, _drop2, _drop3;
    private readonly Func<Tensor, Tensor> _act;

    internal ReformerLayer(ReformerConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _norm1 = Add("attention.layer_norm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _attention = Add("attention", new ReformerAttention(c));
        _norm2 = Add("feed_forward.layer_norm", new LayerNorm(c.HiddenSize, c.LayerNormEps));
        _up = Add("feed_forward.dense.dense", new Linear(c.HiddenSize, c.FeedForwardSize, initializer: init));
        _down = Add("feed_forward.output.dense", new Linear(c.FeedForwardSize, c.HiddenSize, initializer: init));
        (_drop1, _drop2, _drop3) = (Add("dropout1", new Dropout(c.HiddenDropoutProb)), Add("dropout2", new Dropout(c.HiddenDropoutProb)), Add("dropout3", new Dropout(c.HiddenDropoutProb)));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        long width = x.Shape[1] / 2;
        Tensor x2 = x.Slice(1, width, width);
        Tensor y1 = x.Slice(1, 0, width) + _drop1.Forward(_attention.Forward(_norm1.Forward(x2, pass), batch, pass), pass);
        Tensor h = _act(_drop2.Forward(_up.Forward(_norm2.Forward(y1, pass), pass), pass));
        Tensor y2 = pass.Visit(this, "hidden_states", x2 + _drop3.Forward(_down.Forward(h, pass), pass));
        return Tensor.Cat([y1, y2], 1);
    }
}

/// <summary>Embeddings and layers: <c>reformer</c> in checkpoints. Its hidden states are both streams, 2 C wide.</summary>
public sealed class ReformerModel : TextEncoder
{
    private readonly Embedding _tokens, _positions;
    private readonly ReformerLayer[] _layers;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;

    internal ReformerModel(ConfigReader config)
    {
        ReformerConfig c = Config = ReformerConfig.Read(config);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _tokens = Add("embeddings.word_embeddings", new Embedding(c.VocabSize, c.HiddenSize, init));
        _positions = Add("embeddings.position_embeddings.embedding", new Embedding(c.MaxPositionEmbeddings, c.HiddenSize, init));
        _layers = [.. Enumerable.Range(0, c.NumLayers).Select(i => Add($"encoder.layers.{i}", new ReformerLayer(c)))];
        _norm = Add("encoder.layer_norm", new LayerNorm(2 * c.HiddenSize, c.LayerNormEps));
        _drop = Add("dropout", new Dropout(c.HiddenDropoutProb));
    }

    /// <summary>What it was built from.</summary>
    public ReformerConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "reformer";

    /// <inheritdoc/>
    public override int HiddenSize => 2 * Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.HiddenDropoutProb;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _tokens.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) =>
        Enumerable.Range(0, Config.NumLayers + 1).Select(i => ($"hidden.{i}", i == 0 ? path + "embeddings" : $"{path}encoder.layers.{i - 1}.hidden_states"));

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _drop.Forward(_tokens.Forward(batch.Ids, pass), pass) + _positions.Forward(batch.Positions, pass);
        x = pass.Visit(this, "embeddings", x);
        x = Tensor.Cat([x, x], 1);   // (T, 2 C)
        foreach (ReformerLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return _norm.Forward(x, pass);
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => null;
}

/// <summary>Fills in masked tokens: <c>ReformerForMaskedLM</c>. The head is never tied: it reads both streams.</summary>
public sealed class ReformerForMaskedLM : EncoderTask
{
    private readonly Linear _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    public ReformerForMaskedLM(ConfigReader config) : base(config, new ReformerModel(config))
    {
        ReformerConfig c = ((ReformerModel)Encoder).Config;
        if (config.GetBool("tie_word_embeddings", false))
        {
            throw new CheckpointException(config.Source, "\"tie_word_embeddings\" is true; expected false: the head is twice as wide as the embedding");
        }
        _head = Add("lm_head.decoder", new Linear(Encoder.HiddenSize, c.VocabSize, bias: false, initializer: Initializer.Normal(c.InitializerRange)));
        AddBuffer("lm_head.bias", [c.VocabSize], Initializer.Zeros);   // the reference keeps it in its files and never adds it
    }

    /// <inheritdoc/>
    protected override ModelOutputs Run(Tensor hidden, TokenBatch batch, ModelInputs inputs, ForwardPass pass)
    {
        Shape ids = inputs.Require("input_ids").Shape;
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _head.Forward(hidden, pass);
        return new ModelOutputs().With("loss", labels is null ? null : Loss.CrossEntropy(logits, pass.Scope.Use(labels).Reshape(-1)))
            .With("logits", logits.Reshape(ids.Insert(ids.Rank, logits.Shape[1])));
    }
}
