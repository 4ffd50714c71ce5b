using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BigBird (Zaheer et al. 2020, arXiv:2007.14062): BERT whose attention costs time linear in the length. A block of queries sees its neighbours, the first and the last block,
// which see everything themselves, and some random blocks. Short texts get full attention. As in the reference, outside of training every random block is block 0, which
// therefore counts 1 + num_random_blocks times.

/// <summary>Attention among blocks of tokens.</summary>
public sealed class BigBirdAttention : EncoderAttention
{
    private readonly BigBirdConfig _b;

    internal BigBirdAttention(EncoderConfig c, BigBirdConfig b, int layer) : base(c, layer, bias: b.UseBias) => _b = b;

    /// <inheritdoc/>
    protected override Tensor Attend(Tensor x, Tensor q, Tensor k, Tensor v, TokenBatch batch, AttentionOptions options, ForwardPass pass)
    {
        if (!_b.IsSparse(batch))
        {
            return base.Attend(x, q, k, v, batch, options, pass);
        }
        var sparse = new SparseAttention();
        for (int s = 0; s < batch.Layout.Count; s++)
        {
            AddSequence(sparse, batch.Layout, s, pass);
        }
        Tensor y = sparse.Apply(q, k, v, options);
        return batch.ZeroPadding(y.Reshape(y.Shape[0], -1)).Reshape(y.Shape);   // padding reads nothing
    }

    private void AddSequence(SparseAttention sparse, SequenceLayout layout, int sequence, ForwardPass pass)
    {
        SequenceSpan span = layout[sequence];
        int block = _b.BlockSize, last = (int)((span.QueryLength - 1) / block);
        int[][]? random = pass.Training ? BigBird.RandomBlocks(last + 1, _b.NumRandomBlocks, pass.DropoutSeed(this) + (ulong)sequence) : null;
        bool Visible(long t) => span.KeyMaskStart < 0 || layout.KeyMask![span.KeyMaskStart + t];
        IEnumerable<long> Keys(int b)
        {
            for (long t = (long)b * block; t < Math.Min((b + 1L) * block, span.QueryLength); t++)
            {
                if (Visible(t))
                {
                    yield return span.KeyStart + t;
                }
            }
        }
        for (int i = 0; i <= last; i++)
        {
            IEnumerable<int> seen = i == 0 || i == last ? Enumerable.Range(0, last + 1)
                : new[] { 0, i - 1, i, i + 1, last }.Distinct().Concat(random?[i] ?? Enumerable.Repeat(0, _b.NumRandomBlocks));
            sparse.Add(span.QueryStart + (long)i * block, Math.Min(block, span.QueryLength - (long)i * block), [.. seen.SelectMany(Keys)]);
        }
    }
}

/// <summary>What BigBird's <c>config.json</c> says besides BERT's.</summary>
/// <param name="BlockSize">Tokens of a block. Default: 64.</param>
/// <param name="NumRandomBlocks">Random blocks that a block sees. Default: 3.</param>
/// <param name="UseBias">Whether queries, keys and values have biases. Default: true.</param>
/// <param name="BlockSparse">False: full attention (<c>original_full</c>). Default: true.</param>
public sealed record BigBirdConfig(int BlockSize, int NumRandomBlocks, bool UseBias, bool BlockSparse)
{
    internal static BigBirdConfig Read(ConfigReader c) => new(c.GetInt("block_size", 64, min: 1, max: 1 << 20), c.GetInt("num_random_blocks", 3, min: 0, max: 1 << 10),
        c.GetBool("use_bias", true), c.GetChoice("attention_type", ["block_sparse", "original_full"], "block_sparse") == "block_sparse");

    // A text must be longer than what a block may see; a batch is treated alike.
    internal bool IsSparse(TokenBatch batch) => BlockSparse && batch.Layout.MaxQueryLength > (5L + 2 * NumRandomBlocks) * BlockSize;
}

/// <summary>norm(x + attention(x)), then norm(x + mlp(x)).</summary>
public sealed class BigBirdLayer : Block
{
    private readonly BigBirdAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal BigBirdLayer(EncoderConfig c, BigBirdConfig b, int layer)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("attention.self", new BigBirdAttention(c, b, layer));
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

/// <summary>Embeddings, layers and pooler: <c>bert</c> in checkpoints.</summary>
public sealed class BigBirdModel : TextEncoder
{
    private readonly EncoderEmbeddings _embeddings;
    private readonly BigBirdLayer[] _layers;
    private readonly Linear _pooler;

    internal BigBirdModel(ConfigReader config)
    {
        EncoderConfig c = Config = EncoderConfig.Read(config, new() { VocabSize = 50358, HiddenAct = "gelu_new", MaxPositionEmbeddings = 4096 });
        if (c.IsDecoder)
        {
            throw new CheckpointException(config.Source, "\"is_decoder\" is true; expected false: BigBird as a decoder is not supported");
        }
        BigBirdConfig b = BigBirdConfig.Read(config);
        _embeddings = Add("embeddings", new EncoderEmbeddings(c, scale: config.GetBool("rescale_embeddings", false) ? Math.Sqrt(c.HiddenSize) : 1));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"encoder.layer.{i}", new BigBirdLayer(c, b, i)))];
        _pooler = Add("pooler", new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
    }

    /// <summary>What it was built from.</summary>
    public EncoderConfig Config { get; }

    /// <inheritdoc/>
    public override string Name => "bert";

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override double ClassifierDropout => Config.ClassifierDropout;

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight => _embeddings.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates(string path) => HiddenStatePaths.Encoder(path + "embeddings", path + "encoder.layer", Config.NumHiddenLayers);

    /// <inheritdoc/>
    public override Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embeddings.Forward(batch, pass);   // (T, C)
        foreach (BigBirdLayer layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return x;
    }

    /// <inheritdoc/>
    public override Tensor? Pool(Tensor hidden, TokenBatch batch, ForwardPass pass) => _pooler.Forward(batch.First(hidden), pass).Tanh();

    // Weights of tasks that were not asked for may lie beside the encoder; old checkpoints store the positions 0, 1, 2 ...
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("cls.", StringComparison.Ordinal) || checkpointName.EndsWith("embeddings.position_ids", StringComparison.Ordinal);
}

internal static class BigBirdHeads
{
    private static readonly MaskedHeadNames Names = new("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");

    /// <summary>The head over masked tokens.</summary>
    public static MaskedHead Masked(TextEncoder encoder)
    {
        EncoderConfig c = ((BigBirdModel)encoder).Config;
        return new MaskedHead(encoder, Names, Activations.Get(c.HiddenAct), c.LayerNormEps, c.InitializerRange);
    }
}
