using Banyan.Autograd;
using Banyan.Cpu;
using static Banyan.Ops.MatrixBatch;

namespace Banyan.Ops;

/// <summary>X = A^-1 B for square (or triangular) A. dB = A^-T dX, dA = -dB X^T (of a triangle: its part in the triangle).</summary>
internal sealed class Solve : Op
{
    /// <summary>What is known of A.</summary>
    public enum Form
    {
        Full,
        Lower,
        Upper,
    }

    private readonly Form _form;

    private Solve(Form form) => _form = form;

    /// <inheritdoc/>
    public override string Name => _form == Form.Full ? "linalg_solve" : "linalg_solve_triangular";

    /// <summary>The solution for each matrix of the (broadcast) batch; float64.</summary>
    public static Tensor Apply(Tensor a, Tensor b, Form form)
    {
        CheckSquare("solve", a);
        if (b.Rank < 2 || b.Shape[-2] != a.Shape[-1])
        {
            throw new ArgumentException($"solve: the right side (..., {a.Shape[-1]}, k) is expected for {a.Shape}, given {b.Shape}");
        }
        Shape batch = Shape.Broadcast(a.Shape.Slice(0, a.Rank - 2), b.Shape.Slice(0, b.Rank - 2));
        Tensor left = a.Expand(Join(batch, a.Shape.Slice(a.Rank - 2, 2))), right = b.Expand(Join(batch, b.Shape.Slice(b.Rank - 2, 2)));
        int n = (int)a.Shape[-1];
        // Both sides of one system side by side, so that one map over the batch sees them.
        Tensor x = Map(Tensor.Cat([left.Detach(), right.Detach()], -1), ab => [One(ab, n, form).Values], [n, b.Shape[-1]])[0];
        if (Tape.Needs(x.Scope, left, right))
        {
            x.Scope!.Tape!.Record(new Solve(form), [left, right], x);
        }
        return x;
    }

    private static Matrix One(Matrix ab, int n, Form form)
    {
        Matrix a = new(n, n), b = new(n, ab.Columns - n);
        for (int i = 0; i < n; i++)
        {
            ab.Values.AsSpan(i * ab.Columns, n).CopyTo(a.Values.AsSpan(i * n));
            ab.Values.AsSpan(i * ab.Columns + n, b.Columns).CopyTo(b.Values.AsSpan(i * b.Columns));
        }
        if (form != Form.Full)
        {
            Triangular.Solve(a, b, upper: form == Form.Upper, unitDiagonal: false);
            return b;
        }
        return new LuFactors(a).TrySolve(b, out Matrix x) ? x : throw new ArithmeticException($"solve: a {n} x {n} matrix is singular; use Linalg.Pinv or Linalg.Lstsq");
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor a = c.Input(0), x = c.Output(0), dy = c.GradOutput();
        Tensor db = Apply(T(a), dy, _form == Form.Lower ? Form.Upper : _form == Form.Upper ? Form.Lower : Form.Full);
        c.Grad(1, db);
        if (c.Needs(0))
        {
            Tensor da = -db.MatMul(T(x));
            c.Grad(0, _form == Form.Full ? da : _form == Form.Lower ? da.Tril() : da.Triu());
        }
    }
}
