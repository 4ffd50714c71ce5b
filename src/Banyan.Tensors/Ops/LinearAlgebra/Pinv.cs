using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// The pseudoinverse P of A. dA = -P^T dP P^T + (I - A P) dP^T P P^T + P^T P dP^T (I - P A), where the rank is locally constant
/// (Golub and Pereyra 1973).
/// </summary>
internal sealed class Pinv : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_pinv";

    /// <summary>P of each matrix (..., n, m); singular values up to rcond times the largest count as 0; float64.</summary>
    public static Tensor Apply(Tensor a, double rcond)
    {
        CheckMatrix("pinv", a);
        Tensor p = Map(a.Detach(), x => [One(x, rcond).Values], [a.Shape[-1], a.Shape[-2]])[0];
        if (Tape.Needs(p.Scope, a))
        {
            p.Scope!.Tape!.Record(new Pinv(), [a], p);
        }
        return p;
    }

    private static Matrix One(Matrix a, double rcond)
    {
        (Matrix u, double[] s, Matrix v) = JacobiFactors.Singular(a);
        var p = new Matrix(a.Columns, a.Rows);
        for (int k = 0; k < s.Length && s[k] > rcond * s[0]; k++)
        {
            for (int i = 0; i < p.Rows; i++)
            {
                for (int j = 0; j < p.Columns; j++)
                {
                    p[i, j] += v[i, k] * u[j, k] / s[k];
                }
            }
        }
        return p;
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor a = c.Input(0), p = c.Output(0), pt = T(p), dpt = T(c.GradOutput());
        Tensor rest = Eye(a, a.Shape[-2]) - a.MatMul(p), other = Eye(a, a.Shape[-1]) - p.MatMul(a);
        c.Grad(0, rest.MatMul(dpt).MatMul(p).MatMul(pt) + pt.MatMul(p).MatMul(dpt).MatMul(other) - pt.MatMul(c.GradOutput()).MatMul(pt));
    }
}
