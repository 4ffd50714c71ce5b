using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// A = L L^T with L lower. With P = the lower part of L^T dL, its diagonal halved: dA is the symmetric part of L^-T P L^-1
/// (Murray, arXiv:1602.07527).
/// </summary>
internal sealed class Cholesky : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_cholesky";

    /// <summary>L of each matrix, of which the lower triangle is read; float64.</summary>
    public static Tensor Apply(Tensor a)
    {
        CheckSquare("cholesky", a);
        Tensor l = Map(a.Detach(), One, [a.Shape[-1], a.Shape[-1]])[0];
        if (Tape.Needs(l.Scope, a))
        {
            l.Scope!.Tape!.Record(new Cholesky(), [a], l);
        }
        return l;
    }

    private static double[][] One(Matrix a)
    {
        int failed = Triangular.Cholesky(a, out Matrix l);
        return failed < 0 ? [l.Values]
            : throw new ArithmeticException($"cholesky: the matrix is not positive definite (its leading part of order {failed + 1} is not); add to its diagonal");
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor l = c.Output(0), inner = T(l).MatMul(c.GradOutput());
        Tensor p = (inner.Tril() + inner.Tril(-1)) * 0.5;
        Tensor left = Solve.Apply(T(l), p, Solve.Form.Upper);                     // L^-T P
        Tensor s = T(Solve.Apply(T(l), T(left), Solve.Form.Upper));               // L^-T P L^-1
        c.Grad(0, (s + T(s)) * 0.5);
    }
}
