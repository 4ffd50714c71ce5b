namespace Banyan.Ops
{
    /// <summary>
    /// Sums of products over named dimensions (Einstein's convention). Operands are contracted from left to right, each pair as one batched
    /// matrix product: letters in both and still needed are the batch, letters in both and not needed are summed.
    /// </summary>
    public static class Einsum
    {
        /// <summary>The result of <paramref name="equation"/>, for example <c>"bij,bjk->bik"</c>.</summary>
        public static Tensor Apply(string equation, ReadOnlySpan<Tensor> operands)
        {
            EinsumEquation parsed = EinsumEquation.Parse(equation, operands);
            Tensor scoped = operands[0];
            foreach (Tensor operand in operands)
            {
                scoped = scoped.Scope is null ? operand : scoped;
            }
            Term result = Diagonals(new(operands[0].InScopeOf(scoped), parsed.Inputs[0]));
            for (int i = 1; i < operands.Length; i++)
            {
                string later = string.Concat(parsed.Inputs.Skip(i + 1)) + parsed.Output;
                result = Multiply(result, Diagonals(new(operands[i].InScopeOf(scoped), parsed.Inputs[i])), later);
            }
            result = SumOut(result, parsed.Output);
            return Arrange(result.X, result.Labels, parsed.Output);
        }

        private readonly record struct Term(Tensor X, string Labels);

        // A letter that is repeated in one operand names its diagonal.
        private static Term Diagonals(Term t)
        {
            for (int i = 0; i < t.Labels.Length; i++)
            {
                int again = t.Labels.IndexOf(t.Labels[i], i + 1);
                if (again >= 0)
                {
                    // Diagonal appends the new dimension at the end.
                    char letter = t.Labels[i];
                    t = new(t.X.Diagonal(0, i, again), t.Labels.Remove(again, 1).Remove(i, 1) + letter);
                    i = -1;
                }
            }
            return t;
        }

        private static Term SumOut(Term t, string needed)
        {
            for (int i = t.Labels.Length - 1; i >= 0; i--)
            {
                if (!needed.Contains(t.Labels[i]))
                {
                    t = new(t.X.Sum(i), t.Labels.Remove(i, 1));
                }
            }
            return t;
        }

        private static Term Multiply(Term a, Term b, string later)
        {
            a = SumOut(a, b.Labels + later);
            b = SumOut(b, a.Labels + later);
            string shared = new([.. a.Labels.Where(l => b.Labels.Contains(l))]);
            string batch = new([.. shared.Where(later.Contains)]), summed = new([.. shared.Where(l => !later.Contains(l))]);
            string rows = new([.. a.Labels.Where(l => !shared.Contains(l))]), columns = new([.. b.Labels.Where(l => !shared.Contains(l))]);
            Tensor x = Arrange(a.X, a.Labels, batch + rows + summed), y = Arrange(b.X, b.Labels, batch + summed + columns);
            (x, y) = Broadcast(x, y, batch.Length, rows.Length, summed.Length);
            Shape batchShape = x.Shape.Slice(0, batch.Length), rowShape = x.Shape.Slice(batch.Length, rows.Length);
            Shape columnShape = y.Shape.Slice(batch.Length + summed.Length, columns.Length);
            long k = x.Shape.Slice(batch.Length + rows.Length, summed.Length).Count;
            Tensor product = x.Reshape(batchShape.Count, rowShape.Count, k).MatMul(y.Reshape(batchShape.Count, k, columnShape.Count));
            return new(product.Reshape(new Shape([.. batchShape, .. rowShape, .. columnShape])), batch + rows + columns);
        }

        // Dimensions of size 1 (which "..." may have) grow to the other operand's size.
        private static (Tensor, Tensor) Broadcast(Tensor x, Tensor y, int batch, int rows, int summed)
        {
            Shape xs = x.Shape, ys = y.Shape;
            for (int i = 0; i < batch + summed; i++)
            {
                int dx = i < batch ? i : i + rows;
                long size = ys[i] == 1 ? xs[dx] : ys[i];
                xs = xs.With(dx, size);
                ys = ys.With(i, size);
            }
            return (x.Shape == xs ? x : x.Expand(xs), y.Shape == ys ? y : y.Expand(ys));
        }

        private static Tensor Arrange(Tensor x, string labels, string wanted)
        {
            if (labels == wanted)
            {
                return x;
            }
            Span<long> order = stackalloc long[Shape.MaxRank];
            for (int i = 0; i < wanted.Length; i++)
            {
                order[i] = labels.IndexOf(wanted[i]);
            }
            return x.Permute(order[..wanted.Length]);
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>
        /// Sums of products over named dimensions: <c>Einsum("bij,bjk->bik", x, y)</c>. A letter names a dimension; letters missing from the
        /// output are summed; a letter repeated in one operand takes the diagonal; <c>...</c> stands for leading dimensions that broadcast.
        /// Without <c>-></c> the output has the letters that occur once, in alphabetical order.
        /// </summary>
        /// <exception cref="ArgumentException">The equation does not fit the operands.</exception>
        public static Tensor Einsum(string equation, params ReadOnlySpan<Tensor> operands) => Ops.Einsum.Apply(equation, operands);
    }
}
