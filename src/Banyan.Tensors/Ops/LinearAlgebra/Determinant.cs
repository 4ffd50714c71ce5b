using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>
/// The sign and the logarithm of the absolute value of the determinant, and the determinant itself. d logabsdet = A^-T, d det = det A^-T
/// (for invertible A); the sign has no gradient.
/// </summary>
internal sealed class Determinant : Op
{
    /// <inheritdoc/>
    public override string Name => "linalg_slogdet";

    /// <summary>(det, sign, logabsdet) of each matrix; float64.</summary>
    public static (Tensor Det, Tensor Sign, Tensor LogAbs) Apply(Tensor a)
    {
        CheckSquare("det", a);
        Tensor[] y = Map(a.Detach(), One, [], [], []);
        if (Tape.Needs(y[0].Scope, a))
        {
            a.Scope!.Tape!.Record(new Determinant(), [a], y);
        }
        return (y[0], y[1], y[2]);
    }

    private static double[][] One(Matrix a)
    {
        var lu = new LuFactors(a);
        double det = lu.Sign, sign = lu.Sign, log = 0;
        for (int i = 0; i < a.Rows; i++)
        {
            double pivot = lu.Packed[i, i];
            det *= pivot;
            sign *= Math.Sign(pivot);
            log += Math.Log(Math.Abs(pivot));
        }
        return [[det], [sign], [log]];
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor a = c.Input(0), scale = c.GradOutput(0) * c.Output(0) + c.GradOutput(2);
        Tensor inverse = Solve.Apply(T(a), Eye(a, a.Shape[-1]), Solve.Form.Full);
        c.Grad(0, inverse * scale.Unsqueeze(-1).Unsqueeze(-1));
    }
}
