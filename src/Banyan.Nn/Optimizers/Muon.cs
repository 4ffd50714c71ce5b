using System.Runtime.CompilerServices;
using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>How <see cref="Muon"/> adapts the learning rate to a matrix's shape.</summary>
public enum MuonScale
{
    /// <summary>sqrt(max(1, rows / columns)) (Keller Jordan 2024).</summary>
    Original,

    /// <summary>0.2 sqrt(max(rows, columns)): updates of AdamW's root mean square, so that its learning rates carry over (Liu et al. 2025, arXiv:2502.16982).</summary>
    MatchRmsAdamW,
}

/// <summary>
/// Muon (Jordan et al. 2024): momentum, then the nearest orthogonal matrix by five Newton-Schulz steps. X = u / max(|u|, 1e-7), five times
/// A = X X^T, X = a X + (b A + c A^2) X; w = w (1 - lr wd) - lr scale X. For the matrices inside a model: embeddings, heads, norms and biases
/// belong to an <see cref="AdamW"/> beside it. Convolution kernels count as matrices (out, everything else).
/// </summary>
public sealed class Muon : Optimizer, IDisposable
{
    private const double A = 3.4445, B = -4.775, C = 2.0315, Eps = 1e-7;

    private readonly double _momentum;
    private readonly bool _nesterov;
    private readonly int _steps;
    private readonly MuonScale _scale;
    private readonly DType _type;
    private readonly Scope _scratch = new(new ScopeOptions { RecycleHandles = true });

    /// <summary>An optimizer over groups.</summary>
    /// <param name="groups">Matrices only.</param>
    /// <param name="learningRate">Default: 1e-3.</param>
    /// <param name="momentum">Default: 0.95.</param>
    /// <param name="nesterov">Default: true.</param>
    /// <param name="steps">Newton-Schulz steps. Default: 5.</param>
    /// <param name="scale">Default: the original one.</param>
    /// <param name="type">Every value of the Newton-Schulz steps is rounded to it. Default: float32; torch.optim.Muon's is bfloat16.</param>
    /// <exception cref="ArgumentException">A parameter has fewer than two dimensions.</exception>
    public Muon(IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double momentum = 0.95, bool nesterov = true, int steps = 5, MuonScale scale = MuonScale.Original, DType? type = null)
        : base(groups)
    {
        if (Parameters.FirstOrDefault(p => p.Parameter.Shape.Rank < 2) is { } vector)
        {
            throw new ArgumentException($"Muon: '{vector.Name}' {vector.Parameter.Shape} is no matrix; give it to AdamW");
        }
        LearningRate = learningRate;
        _momentum = momentum;
        _nesterov = nesterov;
        _steps = steps;
        _scale = scale;
        _type = type ?? DType.Float32;
    }

    /// <inheritdoc/>
    public override bool IsElementwise => false;

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        long rows = p.Weight.Shape[0], columns = p.Weight.Count / Math.Max(1, rows);
        Tensor u = _scratch.Zeros([rows, columns]);
        var direction = new Direction { Share = (float)(1 - _momentum), Momentum = (float)_momentum, Nesterov = _nesterov };
        UpdateLoop.Run(direction, u, null, p.Gradient, GradientScale, p.Get("momentum_buffer"));
        Tensor x = Orthogonalize(u);
        double lr = RateOf(p);
        double scale = _scale == MuonScale.Original ? Math.Sqrt(Math.Max(1, (double)rows / columns)) : 0.2 * Math.Sqrt(Math.Max(rows, columns));
        Apply(p, new Move { Keep = (float)(1 - lr * p.Group.WeightDecay) }, x, -lr * scale);
        _scratch.Reset();
    }

    // (R, C) to the same shape.
    private Tensor Orthogonalize(Tensor u)
    {
        bool tall = u.Shape[0] > u.Shape[1];
        Tensor x = Round(tall ? Transposed(u).Contiguous() : u);
        double norm = Round(Math.Sqrt(GradientSums.OfSquares(x)));
        x = Round(x * (1 / Math.Max(norm, Eps)));
        for (int i = 0; i < _steps; i++)
        {
            Tensor a = Round(x.MatMul(Transposed(x)));
            x = Round(x.AddMM(Round(a.AddMM(a, a, B, C)), x, A));
        }
        return tall ? Transposed(x).Contiguous() : x;
    }

    // A view without an operation object: a step allocates nothing.
    private static Tensor Transposed(Tensor x) => x.AsView([x.Shape[1], x.Shape[0]], [1, x.Shape[1]], x.Body.Offset);

    private Tensor Round(Tensor x) => _type == DType.Float32 ? x : x.To(_type).To(DType.Float32);

    private double Round(double x) => _type == DType.BFloat16 ? (BFloat16)(float)x : x;

    /// <summary>Frees the scratch memory.</summary>
    public void Dispose() => _scratch.Dispose();

    private struct Direction : IUpdateRule
    {
        public float Share, Momentum;
        public bool Nesterov;

        public static int StateCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V u, V g, ref V m, ref V b, ref V c) where S : struct, ISimd<V> where V : struct
        {
            m = S.Fma(S.Sub(g, m), S.Splat(Share), m);
            u = Nesterov ? S.Fma(S.Sub(m, g), S.Splat(Momentum), g) : m;
        }
    }

    private struct Move : IUpdateRule
    {
        public float Keep;

        public static int StateCount => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V w, V step, ref V a, ref V b, ref V c) where S : struct, ISimd<V> where V : struct =>
            w = S.Fma(w, S.Splat(Keep), step);
    }
}
