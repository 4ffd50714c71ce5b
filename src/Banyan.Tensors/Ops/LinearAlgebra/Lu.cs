using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// A = P L U of square matrices with row pivoting. dA = P L^-T (the part of L^T dL below the diagonal + the part of dU U^T on and above it)
/// U^-T; the permutation has no gradient.
/// </summary>
internal sealed class Lu : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_lu";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <summary>P, L (diagonal 1) and U, each (..., n, n); float64.</summary>
    public static Tensor[] Apply(Tensor a)
    {
        CheckSquare("lu", a);
        Shape square = [a.Shape[-1], a.Shape[-1]];
        Tensor[] y = Map(a.Detach(), One, square, square, square);
        if (Tape.Needs(y[0].Scope, a))
        {
            a.Scope!.Tape!.Record(new Lu(), [a], y);
        }
        return y;
    }

    private static double[][] One(Matrix a)
    {
        var lu = new LuFactors(a);
        Matrix p = new(a.Rows, a.Rows), l = Matrix.Identity(a.Rows), u = new(a.Rows, a.Rows);
        for (int i = 0; i < a.Rows; i++)
        {
            p[lu.Order[i], i] = 1;
            for (int j = 0; j < a.Rows; j++)
            {
                (j < i ? ref l[i, j] : ref u[i, j]) = lu.Packed[i, j];
            }
        }
        return [p.Values, l.Values, u.Values];
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor p = c.Output(0), l = c.Output(1), u = c.Output(2);
        Tensor inner = T(l).MatMul(c.GradOutput(1)).Tril(-1) + c.GradOutput(2).MatMul(T(u)).Triu();
        Tensor left = Solve.Apply(T(l), inner, Solve.Form.Upper);                  // L^-T inner
        Tensor da = T(Solve.Apply(u, T(left), Solve.Form.Upper));                  // L^-T inner U^-T
        c.Grad(0, p.MatMul(da));
    }
}
