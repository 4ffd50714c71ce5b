using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y[i] = x[0] + ... + x[i] along one dimension (in reverse: x[i] + ... ). dx is the sum of dy from the other end.</summary>
    public sealed class CumSum : Op
    {
        private readonly int _dim;
        private readonly bool _reverse;

        private CumSum(int dim, bool reverse) => (_dim, _reverse) = (dim, reverse);

        /// <inheritdoc/>
        public override string Name => "cumsum";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The running sums; integers in int64.</summary>
        public static Tensor Apply(Tensor x, int dim, bool reverse = false)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = Scan<SumScan>(x, axis, reverse);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new CumSum(axis, reverse), [x], y);
            }
            return y;
        }

        internal static Tensor Scan<F>(Tensor x, int axis, bool reverse = false) where F : struct, IScan
        {
            DType compute = Promotion.ComputeType(x.DType);
            Tensor y = Tensor.Allocate(x, x.Shape, compute);
            ScanLoop<F>.Run(Elementwise.Convert(x, compute), y, axis, reverse);
            return x.DType.IsFloat ? Elementwise.Convert(y, x.DType) : y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, Apply(c.GradOutput(), _dim, !_reverse));
    }

    /// <summary>
    /// y[i] = x[0] ... x[i] along one dimension. dx[i] = y[i - 1] s[i] with s[i] = dy[i] + x[i + 1] s[i + 1]: no division, so zeros need no care.
    /// </summary>
    public sealed class CumProd : Op
    {
        private readonly int _dim;

        private CumProd(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "cumprod";

        /// <summary>The running products; integers in int64.</summary>
        public static Tensor Apply(Tensor x, int dim)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = CumSum.Scan<ProductScan>(x, axis);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new CumProd(axis), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor rest = LinearRecurrence.Apply(c.Input(0).Shifted(_dim, -1), c.GradOutput(), _dim, reverse: true);
            c.Grad(0, c.Output(0).Shifted(_dim, 1, fill: 1) * rest);
        }
    }

    /// <summary>
    /// y[i] = ln(e^x[0] + ... + e^x[i]) along one dimension. dx[i] = e^(x[i] - y[i]) s[i] with s[i] = dy[i] + e^(y[i] - y[i + 1]) s[i + 1]: no exponent
    /// is positive.
    /// </summary>
    public sealed class LogCumSumExp : Op
    {
        private readonly int _dim;

        private LogCumSumExp(int dim) => _dim = dim;

        /// <inheritdoc/>
        public override string Name => "logcumsumexp";

        /// <summary>The running values.</summary>
        public static Tensor Apply(Tensor x, int dim)
        {
            int axis = x.Shape.Axis(dim);
            Tensor y = CumSum.Scan<LogSumExpScan>(x.DType.IsFloat ? x : Elementwise.Convert(x, DType.Float32), axis);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new LogCumSumExp(axis), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0), y = c.Output(0);
            Tensor decay = Weight(y, y.Shifted(_dim, -1));
            c.Grad(0, Weight(x, y) * LinearRecurrence.Apply(decay, c.GradOutput(), _dim, reverse: true));
        }

        // e^(a - b), 0 where both are -inf.
        private static Tensor Weight(Tensor a, Tensor b) => (a - b).MaskedFill(a.Eq(double.NegativeInfinity), double.NegativeInfinity).Exp();
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Running sums along one dimension.</summary>
        public Tensor CumSum(int dim) => Rank == 0 ? AsLine(x => x.CumSum(0)) : Ops.CumSum.Apply(this, dim);

        /// <summary>Running products along one dimension.</summary>
        public Tensor CumProd(int dim) => Rank == 0 ? AsLine(x => x.CumProd(0)) : Ops.CumProd.Apply(this, dim);

        /// <summary>Running ln(sum of e^x) along one dimension, without overflow.</summary>
        public Tensor LogCumSumExp(int dim) => Rank == 0 ? AsLine(x => x.LogCumSumExp(0)) : Ops.LogCumSumExp.Apply(this, dim);

        // A 0-d tensor counts as one element.
        private Tensor AsLine(Func<Tensor, Tensor> scan) => scan(Reshape(1)).Reshape(default(Shape));
    }
}
