using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Where the parts of a stack lie in an architecture's checkpoints.</summary>
/// <param name="Embedding">The token embedding.</param>
/// <param name="Layers">The layers, followed by their index.</param>
/// <param name="Norm">The final norm.</param>
public sealed record StackNames(string Embedding = "embed_tokens", string Layers = "layers", string Norm = "norm");

/// <summary>Embedding, layers, final norm: what lies below a decoder's head.</summary>
public class DecoderStack : Module
{
    private readonly Embedding _embed;
    private readonly Block[] _layers;
    private readonly Norm? _norm;
    private readonly RotaryEmbedding[] _rotaries;

    /// <summary>A stack.</summary>
    /// <param name="c">Vocabulary, width, number of layers.</param>
    /// <param name="block">The layer with this index.</param>
    /// <param name="norm">The final norm, or null.</param>
    /// <param name="names">Where the parts lie; null: as Llama's.</param>
    /// <param name="embeddingWidth">Width of the embedding, where it differs from C.</param>
    /// <param name="rotaries">Embeddings whose angles the layers need.</param>
    public DecoderStack(DecoderConfig c, Func<int, Block> block, Norm? norm, StackNames? names = null, int? embeddingWidth = null, params RotaryEmbedding[] rotaries)
    {
        Names = names ?? new StackNames();
        _rotaries = rotaries;
        _embed = Add(Names.Embedding, new Embedding(c.VocabSize, embeddingWidth ?? c.HiddenSize, Initializer.Normal(c.InitializerRange), c.PadTokenId));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"{Names.Layers}.{i}", block(i)))];
        _norm = norm is null ? null : Add(Names.Norm, norm);
    }

    /// <summary>Where the parts lie.</summary>
    public StackNames Names { get; }

    /// <summary>Number of layers.</summary>
    public int Depth => _layers.Length;

    /// <summary>(V, C).</summary>
    public Parameter EmbeddingWeight => _embed.Weight;

    /// <summary>Factor of the embeddings. Default: 1.</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>Where the hidden states appear below the stack's path.</summary>
    public IEnumerable<(string Name, string Path)> HiddenStates(string path) =>
        HiddenStatePaths.Decoder($"{path}.embedding", $"{path}.{Names.Layers}", Depth, $"{path}.output");

    /// <summary>The hidden states (T, C) of a batch.</summary>
    public Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        foreach (RotaryEmbedding rotary in _rotaries)
        {
            rotary.Prepare(batch, pass);
        }
        Tensor x = _embed.Forward(batch.Ids, pass);   // (T, C)
        x = batch.Inserted is { } others ? x.IndexCopy(0, others.Places, others.Rows) : x;
        x = pass.Visit(this, "embedding", Embed(x, batch, pass));
        foreach (Block layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return pass.Visit(this, "output", Leave(_norm is null ? x : _norm.Forward(x, pass), pass));
    }

    /// <summary>What becomes of the token embeddings (T, C) before the first layer. Default: they are scaled.</summary>
    protected virtual Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass) => EmbeddingScale == 1 ? x : x * EmbeddingScale;

    /// <summary>What becomes of the hidden states behind the final norm. Default: nothing.</summary>
    protected virtual Tensor Leave(Tensor x, ForwardPass pass) => x;
}
