namespace Banyan.Nn;

/// <summary>Settings of <see cref="MultiheadAttention"/>.</summary>
public sealed record MultiheadAttentionOptions
{
    /// <summary>Dropout of the attention weights in training. Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the projections have biases. Default: true.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>Adds a learnt key and value after the others. Default: false.</summary>
    public bool AddBiasKv { get; init; }

    /// <summary>Adds a key and a value of zeros at the end. Default: false.</summary>
    public bool AddZeroAttn { get; init; }

    /// <summary>Width of the keys. Default: that of the queries.</summary>
    public long? KDim { get; init; }

    /// <summary>Width of the values. Default: that of the queries.</summary>
    public long? VDim { get; init; }

    /// <summary>True: tensors are (B, T, E). Default: false, (T, B, E).</summary>
    public bool BatchFirst { get; init; }
}

/// <summary>
/// Attention of several heads (Vaswani et al. 2017, arXiv:1706.03762). Parameters, as torch.nn names them: <c>in_proj_weight</c> (3E, E), or
/// <c>q_proj_weight</c>, <c>k_proj_weight</c>, <c>v_proj_weight</c> where widths differ; <c>in_proj_bias</c> (3E); <c>bias_k</c>, <c>bias_v</c>
/// (1, 1, E); <c>out_proj.weight</c>, <c>out_proj.bias</c>.
/// </summary>
public sealed class MultiheadAttention : Module
{
    private readonly MultiheadAttentionOptions _o;
    private readonly long _width;
    private readonly int _heads;
    private readonly Parameter? _packed, _bias, _biasK, _biasV;
    private readonly Parameter[] _separate = [];
    private readonly Linear _out;

    /// <summary>Attention of <paramref name="numHeads"/> heads.</summary>
    /// <param name="embedDim">E, a multiple of the heads.</param>
    /// <param name="numHeads">H.</param>
    /// <param name="options">Default: biases, no dropout, sequence first.</param>
    public MultiheadAttention(long embedDim, int numHeads, MultiheadAttentionOptions? options = null)
    {
        if (numHeads < 1 || embedDim % numHeads != 0)
        {
            throw new ArgumentException($"multihead attention: width {embedDim} does not split into {numHeads} heads");
        }
        _o = options ?? new MultiheadAttentionOptions();
        (_width, _heads) = (embedDim, numHeads);
        long k = _o.KDim ?? embedDim, v = _o.VDim ?? embedDim;
        if (k == embedDim && v == embedDim)
        {
            _packed = Add("in_proj_weight", [3 * embedDim, embedDim], Xavier(embedDim, 3 * embedDim));
        }
        else
        {
            _separate = [Weight("q_proj_weight", embedDim), Weight("k_proj_weight", k), Weight("v_proj_weight", v)];
        }
        _bias = _o.Bias ? Add("in_proj_bias", [3 * embedDim], Initializer.Zeros) : null;
        _biasK = _o.AddBiasKv ? Add("bias_k", [1, 1, embedDim], Initializer.Normal(Math.Sqrt(1.0 / embedDim))) : null;
        _biasV = _o.AddBiasKv ? Add("bias_v", [1, 1, embedDim], Initializer.Normal(Math.Sqrt(1.0 / embedDim))) : null;
        _out = Add("out_proj", new Linear(embedDim, embedDim, _o.Bias));
    }

    private Parameter Weight(string name, long inFeatures) => Add(name, [_width, inFeatures], Xavier(inFeatures, _width));

    private static Initializer Xavier(long fanIn, long fanOut) => Initializer.Uniform(Math.Sqrt(6.0 / (fanIn + fanOut)));

    /// <summary>Attention of queries to keys and values.</summary>
    /// <param name="query">(Tq, B, E), or (B, Tq, E) when batch first.</param>
    /// <param name="key">(Tk, B, KDim).</param>
    /// <param name="value">(Tk, B, VDim).</param>
    /// <param name="pass">The pass.</param>
    /// <param name="keyPaddingMask">(B, Tk): true = ignored, or numbers added to the scores. Default: none.</param>
    /// <param name="attnMask">(Tq, Tk) or (B H, Tq, Tk): true = not allowed, or numbers added to the scores. Default: none.</param>
    /// <param name="averageWeights">True returns the weights' mean over heads. Default: true.</param>
    /// <returns>The output, like the query; the weights (B, Tq, Tk), or (B, H, Tq, Tk).</returns>
    public (Tensor Output, Tensor Weights) Forward(Tensor query, Tensor key, Tensor value, ForwardPass pass, Tensor? keyPaddingMask = null, Tensor? attnMask = null, bool averageWeights = true)
    {
        (Tensor q, Tensor k, Tensor v) = Project(BatchFirst(query), BatchFirst(key), BatchFirst(value), pass);   // (B, T, E)
        long batch = q.Shape[0], own = k.Shape[1];
        k = Lengthen(k, _biasK, pass);
        v = Lengthen(v, _biasV, pass);
        Tensor scores = (Heads(q) * (1 / Math.Sqrt(_width / _heads))).MatMul(Heads(k).Transpose(-1, -2));        // (B, H, Tq, Tk)
        if (Mask(keyPaddingMask, attnMask, batch, k.Shape[1] - own, pass.Scope) is { } mask)
        {
            scores += mask;
        }
        Tensor weights = scores.Softmax(-1), used = weights;
        if (pass.Training && _o.Dropout > 0)
        {
            used = weights.Dropout(_o.Dropout, pass.Seed, Initializer.Stream(Path), pass.Step);
        }
        Tensor mixed = used.MatMul(Heads(v)).Transpose(1, 2).Reshape(q.Shape);
        Tensor output = BatchFirst(_out.Forward(mixed, pass));
        return (pass.Visit(this, output), averageWeights ? weights.Mean(1) : weights);
    }

    // Exchanges the first two dimensions unless they are batch first already: its own inverse.
    private Tensor BatchFirst(Tensor x) => _o.BatchFirst ? x : x.Transpose(0, 1);

    // (B, T, E) to (B, H, T, D).
    private Tensor Heads(Tensor x) => x.Reshape(x.Shape[0], x.Shape[1], _heads, _width / _heads).Transpose(1, 2);

    private (Tensor Q, Tensor K, Tensor V) Project(Tensor query, Tensor key, Tensor value, ForwardPass pass)
    {
        Tensor? bias = _bias is null ? null : pass.Scope.Use(_bias);
        if (_packed is not null && query == key && key == value)
        {
            Tensor[] all = Ops.Linear.Apply(query, _packed, bias, false).Chunk(3, -1);
            return (all[0], all[1], all[2]);
        }
        Tensor? packed = _packed is null ? null : pass.Scope.Use(_packed);
        return (One(query, 0), One(key, 1), One(value, 2));

        Tensor One(Tensor x, int i) => Ops.Linear.Apply(
            x, packed is null ? _separate[i].Value : packed.Slice(0, i * _width, _width), bias?.Slice(0, i * _width, _width), false);
    }

    // The learnt key (or value), then zeros, after the others.
    private Tensor Lengthen(Tensor x, Parameter? learnt, ForwardPass pass)
    {
        if (learnt is not null)
        {
            x = Tensor.Cat([x, pass.Scope.Use(learnt).Expand([x.Shape[0], 1, _width])], 1);
        }
        return _o.AddZeroAttn ? x.Pad([0, 0, 0, 1]) : x;
    }

    // Added to the scores: broadcasts to (B, H, Tq, Tk). Additional keys are always seen.
    private Tensor? Mask(Tensor? keyPadding, Tensor? attention, long batch, long more, Scope scope)
    {
        Tensor? a = attention is null ? null : Additive(attention, scope);
        a = a is { Rank: 3 } ? a.Reshape(batch, _heads, a.Shape[1], a.Shape[2]) : a;
        Tensor? b = keyPadding is null ? null : Additive(keyPadding, scope).Reshape(batch, 1, 1, -1);
        Tensor? sum = a is null ? b : b is null ? a : a + b;
        return more == 0 ? sum : sum?.Pad([0, more]);
    }

    private static Tensor Additive(Tensor mask, Scope scope) =>
        mask.DType == DType.Bool ? scope.Zeros(mask.Shape).MaskedFill(mask, double.NegativeInfinity) : scope.Use(mask);
}
