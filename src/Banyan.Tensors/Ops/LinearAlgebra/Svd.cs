using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// A = U diag(s) V^T. With E[i, j] = s[j]^2 - s[i]^2 (1 on the diagonal) and skew(X) = X - X^T:
/// dA = U (diag(ds) + (skew(U^T dU) / E) S + S (skew(V^T dV) / E)) V^T + (I - U U^T) dU S^-1 V^T + U S^-1 dV^T (I - V V^T)
/// (Townsend 2016). Gradients of the vectors need distinct, positive singular values.
/// </summary>
internal sealed class Svd : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_svd";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <summary>U (..., m, k), s descending (..., k) and V (..., n, k), k = min(m, n); float64.</summary>
    public static (Tensor U, Tensor S, Tensor V) Apply(Tensor a)
    {
        CheckMatrix("svd", a);
        long m = a.Shape[-2], n = a.Shape[-1], k = Math.Min(m, n);
        Tensor[] y = Map(a.Detach(), static x => JacobiFactors.Singular(x) is var (u, s, v) ? [u.Values, s, v.Values] : [], [m, k], [k], [n, k]);
        if (Tape.Needs(y[0].Scope, a))
        {
            a.Scope!.Tape!.Record(new Svd(), [a], y);
        }
        return (y[0], y[1], y[2]);
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor u = c.Output(0), s = c.Output(1), v = c.Output(2), eye = Eye(u, s.Shape[-1]);
        Tensor inner = eye * c.GradOutput(1).Unsqueeze(-1);
        if (!c.HasGradOutput(0) && !c.HasGradOutput(2))
        {
            c.Grad(0, u.MatMul(inner).MatMul(T(v)));
            return;
        }
        Tensor du = c.GradOutput(0), dv = c.GradOutput(2), square = s * s;
        Tensor gap = square.Unsqueeze(-2) - square.Unsqueeze(-1) + eye;
        Tensor row = s.Unsqueeze(-1), ofU = T(u).MatMul(du), ofV = T(v).MatMul(dv);
        inner = inner + TimesDiagonal((ofU - T(ofU)) / gap, s) + row * ((ofV - T(ofV)) / gap);
        Tensor du2 = TimesDiagonal(du - u.MatMul(ofU), s.Reciprocal()), dv2 = TimesDiagonal(dv - v.MatMul(ofV), s.Reciprocal());
        c.Grad(0, u.MatMul(inner).MatMul(T(v)) + du2.MatMul(T(v)) + u.MatMul(T(dv2)));
    }
}
