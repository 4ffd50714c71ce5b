using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// y = a b over the last two dimensions; the leading ones broadcast. da = dy b^T, db = a^T dy, summed over broadcast dimensions.
    /// </summary>
    public sealed class MatMul : Op
    {
        /// <inheritdoc/>
        public override string Name => "matmul";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The matrix product of (..., M, K) and (..., K, N): (..., M, N). A vector counts as a row (a) or a column (b).</summary>
        public static Tensor Apply(Tensor a, Tensor b)
        {
            if (a.Rank == 0 || b.Rank == 0)
            {
                throw new ArgumentException($"matmul: both must have at least one dimension, given {a.Shape} and {b.Shape}");
            }
            if (a.Rank == 1)
            {
                return Apply(a.Unsqueeze(0), b).Squeeze(b.Rank == 1 ? 0 : -2);
            }
            if (b.Rank == 1)
            {
                return Apply(a, b.Unsqueeze(1)).Squeeze(-1);
            }
            Tensor y = Product(a, b);
            if (Tape.Needs(y.Scope, a, b))
            {
                y.Scope!.Tape!.Record(new MatMul(), [a, b], y);
            }
            return y;
        }

        private static Tensor Product(Tensor a, Tensor b)
        {
            if (a.Shape[-1] != b.Shape[-2])
            {
                throw new ArgumentException($"matmul: {a.Shape} has {a.Shape[-1]} columns, {b.Shape} has {b.Shape[-2]} rows");
            }
            Shape batch = Shape.Broadcast(a.Shape.Slice(0, a.Rank - 2), b.Shape.Slice(0, b.Rank - 2));
            DType type = Promotion.Of(a, b), compute = Promotion.ComputeType(type);
            Tensor x = Elementwise.Convert(a, compute), w = Elementwise.Convert(b, compute);
            Shape shape = batch.Insert(-1, a.Shape[-2]).Insert(-1, b.Shape[-1]);
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(a, b), shape, compute, a.Device);
            MatMulLoop.Run(x, w, y, accumulate: false);
            return Elementwise.Convert(y, type);
        }

        /// <summary>y = a b, or y += a b, for matrices, into an existing tensor; not recorded.</summary>
        internal static void Into(Tensor y, Tensor a, bool transposeA, Tensor b, bool transposeB, bool accumulate)
        {
            Tensor x = transposeA ? a.Detach().Transpose(-1, -2) : a, w = transposeB ? b.Detach().Transpose(-1, -2) : b;
            DType compute = Promotion.ComputeType(y.DType);
            (x, w) = (Elementwise.Convert(x, compute), Elementwise.Convert(w, compute));
            if (y.DType == compute)
            {
                MatMulLoop.Run(x, w, y, accumulate);
                y.MarkChanged();
                return;
            }
            Tensor wide = Tensor.Allocate(y, y.Shape, compute);
            MatMulLoop.Run(x, w, wide, accumulate: false);
            if (accumulate)
            {
                y.AddInPlace(wide);
            }
            else
            {
                y.CopyFrom(wide);
            }
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor a = c.Input(0), b = c.Input(1), dy = c.GradOutput();
            if (c.Needs(0))
            {
                c.Grad(0, Apply(dy, b.Transpose(-1, -2)).SumTo(a));
            }
            if (c.Needs(1))
            {
                c.Grad(1, Apply(a.Transpose(-1, -2), dy).SumTo(b));
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Matrix product over the last two dimensions, with broadcasting of the others.</summary>
        public Tensor MatMul(Tensor b) => Ops.MatMul.Apply(this, b);
    }
}
