namespace Banyan.Nn;

/// <summary>
/// Random features for <see cref="LinearAttention"/> (Choromanski et al. 2021, "Rethinking Attention with Performers", arXiv:2009.14794), FAVOR+:
/// E[f(q) f(k)] = exp(q k / sqrt(D)) with f(x) = exp(w x' - |x'|^2 / 2) / sqrt(M), x' = x / D^(1/4) and M random w, orthogonal for less variance.
/// </summary>
public static class Performer
{
    /// <summary>Positive features that approximate softmax attention.</summary>
    /// <param name="x">Queries or keys (..., T, D).</param>
    /// <param name="projection">The vectors w (M, D): see <see cref="Projection"/>.</param>
    /// <param name="isQuery">Queries and keys are shifted by different maxima, which cancel in the quotient.</param>
    /// <param name="eps">Keeps features from 0. Default: 1e-4.</param>
    /// <returns>(..., T, M).</returns>
    public static Tensor SoftmaxFeatures(Tensor x, Tensor projection, bool isQuery, double eps = 1e-4)
    {
        Tensor scaled = x * Math.Pow(x.Shape[-1], -0.25);
        Tensor dash = scaled.MatMul(projection.InScopeOf(x).Transpose(0, 1));                 // (..., T, M)
        Tensor size = scaled.Square().Sum(-1, keepDim: true) * 0.5;
        // Only factors that numerator and denominator share, so they are constants: of each query, but one for all keys.
        Tensor maximum = dash.Detach().AMax(isQuery ? [-1] : [-2, -1], keepDim: true);
        return ((dash - size - maximum).Exp() + eps) * Math.Pow(projection.Shape[0], -0.5);
    }

    /// <summary>relu(w x') + eps: a kernel of its own, not softmax's, which the paper found to train well.</summary>
    /// <param name="x">Queries or keys (..., T, D).</param>
    /// <param name="projection">The vectors w (M, D).</param>
    /// <param name="eps">Keeps features from 0. Default: 1e-3.</param>
    /// <returns>(..., T, M).</returns>
    public static Tensor ReluFeatures(Tensor x, Tensor projection, double eps = 1e-3) =>
        (x * Math.Pow(x.Shape[-1], -0.25)).MatMul(projection.InScopeOf(x).Transpose(0, 1)).Relu() + eps;

    /// <summary>Gaussian vectors (M, D), orthogonal within every D of them.</summary>
    /// <param name="features">M; D log D of them are enough (the paper's theorem 4).</param>
    /// <param name="dim">D.</param>
    /// <param name="seed">Equal seeds give equal vectors.</param>
    public static Tensor Projection(int features, int dim, long seed)
    {
        Tensor lengths = Tensor.Zeros([features, dim]), directions = Tensor.Zeros([dim, dim]);
        lengths.FillNormal(1, seed);
        var blocks = new List<Tensor>();
        for (int rows = 0; rows < features; rows += dim)
        {
            directions.FillNormal(1, seed, stream: (uint)(1 + rows / dim));
            blocks.Add(Ops.Qr.Apply(directions).Q.Slice(0, 0, Math.Min(dim, features - rows)));
        }
        // Orthogonal unit vectors get the lengths of independent Gaussian ones.
        return Tensor.Cat([.. blocks]) * lengths.VectorNorm([-1], keepDim: true);
    }
}
