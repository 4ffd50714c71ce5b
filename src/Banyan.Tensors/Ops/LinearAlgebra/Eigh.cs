using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// A = V diag(w) V^T of symmetric matrices. dA = V (diag(dw) + F * (V^T dV)) V^T with F[i, j] = 1 / (w[j] - w[i]) off the diagonal, 0 on it:
/// gradients of the vectors need distinct eigenvalues.
/// </summary>
internal sealed class Eigh : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_eigh";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <summary>Ascending eigenvalues (..., n) and eigenvectors as columns (..., n, n); the lower triangle is read; float64.</summary>
    public static (Tensor Values, Tensor Vectors) Apply(Tensor a)
    {
        CheckSquare("eigh", a);
        long n = a.Shape[-1];
        Tensor[] y = Map(a.Detach(), static m => JacobiFactors.Symmetric(m) is var (w, v) ? [w, v.Values] : [], [n], [n, n]);
        if (Tape.Needs(y[0].Scope, a))
        {
            a.Scope!.Tape!.Record(new Eigh(), [a], y);
        }
        return (y[0], y[1]);
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor w = c.Output(0), v = c.Output(1), eye = Eye(v, v.Shape[-1]);
        Tensor inner = eye * c.GradOutput(0).Unsqueeze(-1);
        if (c.HasGradOutput(1))
        {
            Tensor gap = w.Unsqueeze(-2) - w.Unsqueeze(-1) + eye;
            inner = inner + (1 - eye) / gap * T(v).MatMul(c.GradOutput(1));
        }
        c.Grad(0, v.MatMul(inner).MatMul(T(v)));
    }
}
