using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan
{
    /// <summary>How <see cref="Tensor.ScatterReduce"/> combines what meets at one element.</summary>
    public enum ScatterReduction
    {
        /// <summary>The sum.</summary>
        Sum,

        /// <summary>The mean.</summary>
        Mean,

        /// <summary>The product.</summary>
        Prod,

        /// <summary>The largest; equals share the gradient evenly.</summary>
        AMax,

        /// <summary>The smallest; equals share the gradient evenly.</summary>
        AMin,
    }
}

namespace Banyan.Ops
{
    /// <summary>
    /// y = the product of x and of the source elements at each index. Gradients without division by zero: dx = dy times the product of the sources; of a
    /// source s, dy y / s, or dy times the product of the others where s is the only zero.
    /// </summary>
    public sealed class ScatterProd : Op
    {
        private readonly int _dim;

        private ScatterProd(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "scatter_reduce_prod";

        /// <summary>A copy of x with the source multiplied in.</summary>
        public static Tensor Apply(Tensor x, int dim, Tensor index, Tensor source)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = Scatter.Run<ScatterProduct>("scatter_reduce", x, axis, index, source);
            if (Tape.Needs(y.Scope, x, source))
            {
                y.Scope!.Tape!.Record(new ScatterProd(axis), [x, index, source], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0), index = c.Input(1), source = c.Input(2), dy = c.GradOutput();
            Tensor ones = Tensor.Allocate(x, x.Shape).Filled(1);
            c.Grad(0, dy * Apply(ones, _dim, index, source));
            if (c.Needs(2))
            {
                Tensor isZero = source.Eq(0), zero = isZero.To(x.DType);
                Tensor zeros = x.Eq(0).To(x.DType).ScatterAdd(_dim, index, zero).Gather(_dim, index);
                Tensor rest = Apply(x.MaskedFill(x.Eq(0), 1), _dim, index, source.MaskedFill(isZero, 1)).Gather(_dim, index);
                Tensor others = (rest / source.MaskedFill(isZero, 1)).MaskedFill(zeros.Ne(zero), 0);
                c.Grad(2, dy.Gather(_dim, index) * others);
            }
        }
    }

    /// <summary>y = the largest (smallest) of x and of the source elements at each index. Equals share dy evenly.</summary>
    public sealed class ScatterExtreme : Op
    {
        private readonly int _dim;
        private readonly bool _isMin;

        private ScatterExtreme(int dim, bool isMin) => (_dim, _isMin) = (dim, isMin);

        /// <inheritdoc/>
        public override string Name => _isMin ? "scatter_reduce_amin" : "scatter_reduce_amax";

        /// <summary>A copy of x with the extremes.</summary>
        public static Tensor Apply(Tensor x, int dim, Tensor index, Tensor source, bool isMin)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = isMin
                ? Scatter.Run<ScatterMin>("scatter_reduce", x, axis, index, source)
                : Scatter.Run<ScatterMax>("scatter_reduce", x, axis, index, source);
            if (Tape.Needs(y.Scope, x, source))
            {
                y.Scope!.Tape!.Record(new ScatterExtreme(axis, isMin), [x, index, source], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0), index = c.Input(1), source = c.Input(2), y = c.Output(0);
            Tensor own = x.Eq(y).To(x.DType), come = source.Eq(y.Gather(_dim, index)).To(x.DType);
            Tensor share = c.GradOutput() / own.ScatterAdd(_dim, index, come);
            c.Grad(0, own * share);
            c.Grad(2, come * share.Gather(_dim, index));
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>A copy with <paramref name="source"/> combined into it at <paramref name="index"/> along one dimension.</summary>
        /// <param name="dim">The indexed dimension.</param>
        /// <param name="index">Indices (int64) in [0, size).</param>
        /// <param name="source">Of the index's shape.</param>
        /// <param name="reduction">How elements that meet are combined.</param>
        /// <param name="includeSelf">False leaves this tensor's element out where something is put.</param>
        public Tensor ScatterReduce(int dim, Tensor index, Tensor source, ScatterReduction reduction, bool includeSelf = true)
        {
            Tensor x = includeSelf ? this : Scatter(dim, index, Neutral(reduction));
            return reduction switch
            {
                ScatterReduction.Sum => x.ScatterAdd(dim, index, source),
                ScatterReduction.Mean => x.ScatterAdd(dim, index, source) / Meeting(dim, index, includeSelf),
                ScatterReduction.Prod => Ops.ScatterProd.Apply(x, dim, index, source),
                _ => Ops.ScatterExtreme.Apply(x, dim, index, source, reduction == ScatterReduction.AMin),
            };
        }

        // What changes nothing when combined.
        private static double Neutral(ScatterReduction reduction) => reduction switch
        {
            ScatterReduction.Prod => 1,
            ScatterReduction.AMax => double.NegativeInfinity,
            ScatterReduction.AMin => double.PositiveInfinity,
            _ => 0,
        };

        // How many elements meet at each.
        private Tensor Meeting(int dim, Tensor index, bool includeSelf)
        {
            Tensor own = Allocate(this, Shape).Filled(1);
            own = includeSelf ? own : own.Scatter(dim, index, 0);
            return own.ScatterAdd(dim, index, Number(1).Expand(index.Shape));
        }
    }
}
