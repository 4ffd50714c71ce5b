using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// A = Q R, m &gt;= n. With M = R dR^T - dQ^T Q and sym(M) = its lower part mirrored upwards: dA = (dQ + Q sym(M)) R^-T
/// (Walter and Lehmann, arXiv:1009.6112). Needs full rank.
/// </summary>
internal sealed class Qr : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_qr";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <summary>Q (..., m, k) and R (..., k, n), k = min(m, n); float64.</summary>
    public static (Tensor Q, Tensor R) Apply(Tensor a)
    {
        CheckMatrix("qr", a);
        long m = a.Shape[-2], n = a.Shape[-1];
        if (m < n)
        {
            // The first m columns fix Q; the others are only seen from it.
            (Tensor q, Tensor r) = Apply(a.Slice(-1, 0, m));
            return (q, Tensor.Cat([r, T(q).MatMul(a.Slice(-1, m, n - m))], -1));
        }
        Tensor[] y = Map(a.Detach(), static x => Householder.Qr(x) is var (q, r) ? [q.Values, r.Values] : [], [m, n], [n, n]);
        if (Tape.Needs(y[0].Scope, a))
        {
            a.Scope!.Tape!.Record(new Qr(), [a], y);
        }
        return (y[0], y[1]);
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor q = c.Output(0), r = c.Output(1), dq = c.GradOutput(0);
        Tensor m = r.MatMul(T(c.GradOutput(1))) - T(dq).MatMul(q);
        Tensor sides = dq + q.MatMul(m.Tril() + T(m.Tril(-1)));
        c.Grad(0, T(Solve.Apply(r, T(sides), Solve.Form.Upper)));
    }
}
