namespace Banyan.Nn;

/// <summary>
/// Self-attention to k mixtures of the keys and values instead of all T (Wang et al. 2020, "Linformer", arXiv:2006.04768): softmax(q (E K)^T / sqrt(D))
/// (F V) with learnt E and F. It cannot be causal, and T is at most the length it was made for. Parameters: <c>proj_k</c>, <c>proj_v</c> (T, k),
/// <c>to_q.weight</c>, <c>to_k.weight</c>, <c>to_v.weight</c>, <c>to_out.weight</c>, <c>to_out.bias</c>.
/// </summary>
public sealed class LinformerSelfAttention : Module
{
    private readonly int _heads;
    private readonly long _headDim;
    private readonly Parameter _projectKeys;
    private readonly Parameter? _projectValues;
    private readonly Linear _q, _k, _out;
    private readonly Linear? _v;

    /// <summary>Attention of <paramref name="heads"/> heads.</summary>
    /// <param name="dim">Width, a multiple of the heads.</param>
    /// <param name="seqLen">The longest T.</param>
    /// <param name="k">Number of mixtures. Default: 256.</param>
    /// <param name="heads">Default: 8.</param>
    /// <param name="oneKvHead">True: all heads share one head of keys and values. Default: false.</param>
    /// <param name="shareKv">True: the values are the keys. Default: false.</param>
    /// <exception cref="ArgumentException">The width is no multiple of the heads.</exception>
    public LinformerSelfAttention(long dim, long seqLen, long k = 256, int heads = 8, bool oneKvHead = false, bool shareKv = false)
    {
        if (heads < 1 || dim % heads != 0)
        {
            throw new ArgumentException($"Linformer: width {dim} does not split into {heads} heads");
        }
        (_heads, _headDim) = (heads, dim / heads);
        long kvWidth = oneKvHead ? _headDim : dim;
        Initializer initial = Initializer.Uniform(1 / Math.Sqrt(k));
        _projectKeys = Add("proj_k", [seqLen, k], initial);
        _projectValues = shareKv ? null : Add("proj_v", [seqLen, k], initial);
        _q = Add("to_q", new Linear(dim, dim, bias: false));
        _k = Add("to_k", new Linear(dim, kvWidth, bias: false));
        _v = shareKv ? null : Add("to_v", new Linear(dim, kvWidth, bias: false));
        _out = Add("to_out", new Linear(dim, dim));
    }

    /// <summary>x (B, T, C) to the same.</summary>
    /// <exception cref="ArgumentException">T is longer than the projections.</exception>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        if (x.Rank != 3 || x.Shape[1] > _projectKeys.Shape[0])
        {
            throw new ArgumentException($"Linformer: the input is (B, T, C) with T of at most {_projectKeys.Shape[0]}, given {x.Shape}");
        }
        Tensor k = Mix(_k.Forward(x, pass), _projectKeys, pass), v = _v is null ? k : Mix(_v.Forward(x, pass), _projectValues!, pass);
        Tensor y = ScaledDotProductAttention.Apply(Heads(_q.Forward(x, pass)), Heads(k), Heads(v));
        return pass.Visit(this, _out.Forward(y.Transpose(1, 2).Reshape(x.Shape), pass));
    }

    // (B, T, C) to the mixtures (B, k, C).
    private static Tensor Mix(Tensor x, Parameter projection, ForwardPass pass) =>
        pass.Scope.Use(projection).Slice(0, 0, x.Shape[1]).Transpose(0, 1).MatMul(x);

    // (B, T, C) to (B, H, T, D).
    private Tensor Heads(Tensor x) => x.Reshape(x.Shape[0], x.Shape[1], -1, _headDim).Transpose(1, 2);
}
