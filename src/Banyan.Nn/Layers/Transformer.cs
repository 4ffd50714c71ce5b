namespace Banyan.Nn;

/// <summary>Settings of the original Transformer's layers; the defaults are torch.nn's.</summary>
public sealed record TransformerOptions
{
    /// <summary>Width of the hidden layer. Default: 2048.</summary>
    public long DimFeedforward { get; init; } = 2048;

    /// <summary>Default: 0.1.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>True: gelu. Default: false, relu.</summary>
    public bool Gelu { get; init; }

    /// <summary>Default: 1e-5.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>True: tensors are (B, T, E). Default: false, (T, B, E).</summary>
    public bool BatchFirst { get; init; }

    /// <summary>True normalises before each part instead of after it. Default: false.</summary>
    public bool NormFirst { get; init; }

    /// <summary>Whether linear layers and norms have biases. Default: true.</summary>
    public bool Bias { get; init; } = true;
}

/// <summary>What the encoder's and decoder's layers share: x + part(x), with a norm after it or before it, and the feed-forward part.</summary>
public abstract class TransformerLayer : Module
{
    private readonly TransformerOptions _o;
    private readonly Dropout _dropout;
    private Linear? _linear1, _linear2;

    private protected TransformerLayer(TransformerOptions? options)
    {
        _o = options ?? new TransformerOptions();
        _dropout = Add("dropout", new Dropout(_o.Dropout));
    }

    private protected MultiheadAttention AddAttention(string name, long width, int heads) =>
        Add(name, new MultiheadAttention(width, heads, new() { Dropout = _o.Dropout, Bias = _o.Bias, BatchFirst = _o.BatchFirst }));

    private protected void AddFeedForward(long width)
    {
        _linear1 = Add("linear1", new Linear(width, _o.DimFeedforward, _o.Bias));
        _linear2 = Add("linear2", new Linear(_o.DimFeedforward, width, _o.Bias));
    }

    private protected LayerNorm AddNorm(string name, long width) => Add(name, new LayerNorm(width, _o.LayerNormEps, _o.Bias));

    private protected Dropout AddDropout(string name) => Add(name, new Dropout(_o.Dropout));

    private protected Tensor Residual(Tensor x, LayerNorm norm, Dropout dropout, ForwardPass pass, Func<Tensor, Tensor> part) => _o.NormFirst
        ? x + dropout.Forward(part(norm.Forward(x, pass)), pass)
        : norm.Forward(x + dropout.Forward(part(x), pass), pass);

    private protected Tensor FeedForward(Tensor x, ForwardPass pass)
    {
        Tensor hidden = _linear1!.Forward(x, pass);
        return _linear2!.Forward(_dropout.Forward(_o.Gelu ? hidden.Gelu() : hidden.Relu(), pass), pass);
    }
}

/// <summary>Self-attention, then a feed-forward network (Vaswani et al. 2017). Modules: <c>self_attn</c>, <c>linear1</c>, <c>linear2</c>, <c>norm1</c>, <c>norm2</c>.</summary>
public sealed class TransformerEncoderLayer : TransformerLayer
{
    private readonly MultiheadAttention _attention;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Dropout _dropout1, _dropout2;

    /// <summary>A layer of width <paramref name="dModel"/>.</summary>
    public TransformerEncoderLayer(long dModel, int nHead, TransformerOptions? options = null)
        : base(options)
    {
        _attention = AddAttention("self_attn", dModel, nHead);
        AddFeedForward(dModel);
        _norm1 = AddNorm("norm1", dModel);
        _norm2 = AddNorm("norm2", dModel);
        _dropout1 = AddDropout("dropout1");
        _dropout2 = AddDropout("dropout2");
    }

    /// <summary>x to the same shape; masks as <see cref="MultiheadAttention"/>'s.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass, Tensor? mask = null, Tensor? keyPaddingMask = null)
    {
        x = Residual(x, _norm1, _dropout1, pass, y => _attention.Forward(y, y, y, pass, keyPaddingMask, mask).Output);
        return pass.Visit(this, Residual(x, _norm2, _dropout2, pass, y => FeedForward(y, pass)));
    }
}

/// <summary>
/// Self-attention, attention to the encoder's output, a feed-forward network. Modules: <c>self_attn</c>, <c>multihead_attn</c>, <c>linear1</c>,
/// <c>linear2</c>, <c>norm1</c>, <c>norm2</c>, <c>norm3</c>.
/// </summary>
public sealed class TransformerDecoderLayer : TransformerLayer
{
    private readonly MultiheadAttention _attention, _cross;
    private readonly LayerNorm _norm1, _norm2, _norm3;
    private readonly Dropout _dropout1, _dropout2, _dropout3;

    /// <summary>A layer of width <paramref name="dModel"/>.</summary>
    public TransformerDecoderLayer(long dModel, int nHead, TransformerOptions? options = null)
        : base(options)
    {
        _attention = AddAttention("self_attn", dModel, nHead);
        _cross = AddAttention("multihead_attn", dModel, nHead);
        AddFeedForward(dModel);
        _norm1 = AddNorm("norm1", dModel);
        _norm2 = AddNorm("norm2", dModel);
        _norm3 = AddNorm("norm3", dModel);
        _dropout1 = AddDropout("dropout1");
        _dropout2 = AddDropout("dropout2");
        _dropout3 = AddDropout("dropout3");
    }

    /// <summary>x to the same shape; masks as <see cref="MultiheadAttention"/>'s.</summary>
    public Tensor Forward(Tensor x, Tensor memory, ForwardPass pass, Tensor? mask = null, Tensor? memoryMask = null, Tensor? keyPaddingMask = null, Tensor? memoryKeyPaddingMask = null)
    {
        x = Residual(x, _norm1, _dropout1, pass, y => _attention.Forward(y, y, y, pass, keyPaddingMask, mask).Output);
        x = Residual(x, _norm2, _dropout2, pass, y => _cross.Forward(y, memory, memory, pass, memoryKeyPaddingMask, memoryMask).Output);
        return pass.Visit(this, Residual(x, _norm3, _dropout3, pass, y => FeedForward(y, pass)));
    }
}

/// <summary>A stack of layers and a last norm. Modules: <c>layers.N</c>, <c>norm</c>.</summary>
public sealed class TransformerEncoder : Module
{
    private readonly TransformerEncoderLayer[] _layers;
    private readonly LayerNorm _norm;

    /// <summary>An encoder of <paramref name="numLayers"/> layers.</summary>
    public TransformerEncoder(long dModel, int nHead, int numLayers, TransformerOptions? options = null)
    {
        options ??= new TransformerOptions();
        _layers = [.. Enumerable.Range(0, numLayers).Select(i => Add($"layers.{i}", new TransformerEncoderLayer(dModel, nHead, options)))];
        _norm = Add("norm", new LayerNorm(dModel, options.LayerNormEps, options.Bias));
    }

    /// <summary>x to the same shape.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass, Tensor? mask = null, Tensor? keyPaddingMask = null)
    {
        foreach (TransformerEncoderLayer layer in _layers)
        {
            x = layer.Forward(x, pass, mask, keyPaddingMask);
        }
        return pass.Visit(this, _norm.Forward(x, pass));
    }
}

/// <summary>A stack of layers and a last norm. Modules: <c>layers.N</c>, <c>norm</c>.</summary>
public sealed class TransformerDecoder : Module
{
    private readonly TransformerDecoderLayer[] _layers;
    private readonly LayerNorm _norm;

    /// <summary>A decoder of <paramref name="numLayers"/> layers.</summary>
    public TransformerDecoder(long dModel, int nHead, int numLayers, TransformerOptions? options = null)
    {
        options ??= new TransformerOptions();
        _layers = [.. Enumerable.Range(0, numLayers).Select(i => Add($"layers.{i}", new TransformerDecoderLayer(dModel, nHead, options)))];
        _norm = Add("norm", new LayerNorm(dModel, options.LayerNormEps, options.Bias));
    }

    /// <summary>x to the same shape.</summary>
    public Tensor Forward(Tensor x, Tensor memory, ForwardPass pass, Tensor? mask = null, Tensor? memoryMask = null, Tensor? keyPaddingMask = null, Tensor? memoryKeyPaddingMask = null)
    {
        foreach (TransformerDecoderLayer layer in _layers)
        {
            x = layer.Forward(x, memory, pass, mask, memoryMask, keyPaddingMask, memoryKeyPaddingMask);
        }
        return pass.Visit(this, _norm.Forward(x, pass));
    }
}

/// <summary>The original encoder and decoder (Vaswani et al. 2017, arXiv:1706.03762), without embeddings. Modules: <c>encoder</c>, <c>decoder</c>.</summary>
public sealed class Transformer : Module
{
    private readonly TransformerEncoder _encoder;
    private readonly TransformerDecoder _decoder;

    /// <summary>A Transformer of width <paramref name="dModel"/>.</summary>
    public Transformer(long dModel = 512, int nHead = 8, int numEncoderLayers = 6, int numDecoderLayers = 6, TransformerOptions? options = null)
    {
        _encoder = Add("encoder", new TransformerEncoder(dModel, nHead, numEncoderLayers, options));
        _decoder = Add("decoder", new TransformerDecoder(dModel, nHead, numDecoderLayers, options));
    }

    /// <summary>The decoder's output for <paramref name="target"/>, given <paramref name="source"/>; masks as <see cref="MultiheadAttention"/>'s.</summary>
    public Tensor Forward(Tensor source, Tensor target, ForwardPass pass, Tensor? sourceMask = null, Tensor? targetMask = null, Tensor? sourceKeyPaddingMask = null, Tensor? targetKeyPaddingMask = null, Tensor? memoryKeyPaddingMask = null)
    {
        Tensor memory = _encoder.Forward(source, pass, sourceMask, sourceKeyPaddingMask);
        return pass.Visit(this, _decoder.Forward(target, memory, pass, targetMask, null, targetKeyPaddingMask, memoryKeyPaddingMask));
    }
}
