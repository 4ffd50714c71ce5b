using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// y[i] = table[ids[i]]. The gradient of a row is the sum of dy over the tokens that read it, in their order (on request divided by their number);
    /// the padding row gets none.
    /// </summary>
    public sealed class Embedding : Op
    {
        private readonly long? _padding;
        private readonly bool _scaleByFrequency;

        private Embedding(long? padding, bool scaleByFrequency) => (_padding, _scaleByFrequency) = (padding, scaleByFrequency);

        /// <inheritdoc/>
        public override string Name => "embedding";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 2;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Rows of <paramref name="table"/> (V, C) by ids (...): (..., C).</summary>
        /// <exception cref="ArgumentOutOfRangeException">An id is not a row.</exception>
        public static Tensor Apply(Tensor table, Tensor ids, long? padding = null, bool scaleByFrequency = false)
        {
            Tensor index = ids.To(DType.Int64).Contiguous();
            (long min, long max) = TensorRows.Range(index);
            if (min < 0 || max >= table.Shape[0])
            {
                throw new ArgumentOutOfRangeException(nameof(ids), min < 0 ? min : max, $"embedding: id {(min < 0 ? min : max)} is not a row of the table of {table.Shape[0]}");
            }
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(index, table), ids.Shape.Insert(-1, table.Shape[1]), table.DType.Format is null ? table.DType : DType.Float32, table.Device);
            if (table.DType.Format is not null)
            {
                BlockRows.Gather(table, index, y);
            }
            else if (TensorRows.Fits(table))
            {
                TensorRows.Gather(table, index, y);
            }
            else
            {
                // The obvious way, for other types: gather along the rows.
                Tensor rows = index.Reshape(-1, 1).Expand([index.Count, table.Shape[1]]);
                y.Reshape(-1, table.Shape[1]).CopyFrom(Gather.Apply(table.Detach(), 0, rows));
            }
            if (Tape.Needs(y.Scope, table))
            {
                y.Scope!.Tape!.Record(new Embedding(padding, scaleByFrequency), [table, index], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor table = c.Input(0), index = c.Input(1), dy = Weighted(c.GradOutput(), c.Input(1));
            if (c.LeafForSink(0) is { } leaf && TensorRows.Fits(leaf))
            {
                c.Sink.Embedding(leaf, index, dy.Contiguous());
                return;
            }
            Tensor rows = index.Reshape(-1, 1).Expand([index.Count, table.Shape[1]]);
            c.Grad(0, ScatterAdd.Apply(c.Scope.Zeros(table.Shape, table.DType), 0, rows, dy.Reshape(-1, table.Shape[1])));
        }

        private Tensor Weighted(Tensor dy, Tensor index)
        {
            if (_padding is { } padding)
            {
                dy = dy.MaskedFill(index.Eq(padding).Unsqueeze(-1), 0);
            }
            return _scaleByFrequency ? dy / index.BinCount().Take(index).Unsqueeze(-1).To(dy.DType) : dy;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The rows of this table (V, C) that <paramref name="ids"/> (...) name: (..., C).</summary>
        /// <param name="ids">Row numbers.</param>
        /// <param name="paddingIdx">A row that gets no gradient. Default: none.</param>
        /// <param name="scaleGradByFreq">True divides the gradient of a row by how often the ids name it.</param>
        /// <exception cref="ArgumentOutOfRangeException">An id is not a row.</exception>
        public Tensor Embedding(Tensor ids, long? paddingIdx = null, bool scaleGradByFreq = false) =>
            Ops.Embedding.Apply(this, ids, paddingIdx, scaleGradByFreq);

        /// <summary>
        /// Scales the rows of this table that <paramref name="ids"/> name, where their p-norm exceeds <paramref name="maxNorm"/>, down to that norm: in
        /// place, not recorded. PyTorch's embedding does so first when it is given max_norm.
        /// </summary>
        public Tensor EmbeddingRenorm(Tensor ids, double maxNorm, double p = 2)
        {
            foreach (double id in ids.Unique().Values.ToDoubles())
            {
                Tensor row = Detach().Select(0, (long)id);
                double norm = row.VectorNorm(p).Item();
                if (norm > maxNorm)
                {
                    row.MulInPlace(row.Number(maxNorm / (norm + 1e-7)));
                }
            }
            return this;
        }
    }
}
