using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// h[t] = a[t] h[t - 1] + b[t] along one dimension, starting from b[0] (in reverse: h[t] = a[t] h[t + 1] + b[t]). With g[t] = dh[t] + a[t + 1] g[t + 1],
    /// the same recurrence the other way round: db = g and da[t] = g[t] h[t - 1].
    /// </summary>
    public sealed class LinearRecurrence : Op
    {
        private readonly int _dim;
        private readonly bool _reverse;

        private LinearRecurrence(int dim, bool reverse) => (_dim, _reverse) = (dim, reverse);

        /// <inheritdoc/>
        public override string Name => "linear_recurrence";

        /// <summary>The states h; a and b have one shape.</summary>
        public static Tensor Apply(Tensor a, Tensor b, int dim, bool reverse = false)
        {
            if (a.Shape != b.Shape)
            {
                throw new ArgumentException($"linear recurrence: the factors are {a.Shape}, the inputs {b.Shape}");
            }
            int axis = a.Shape.Axis(dim);
            DType type = Promotion.Of(a, b), compute = Promotion.ComputeType(type);
            Tensor h = Tensor.Allocate(Tensor.ScopeOf(a, b), a.Shape, compute, a.Device);
            RecurrenceLoop.Run(Elementwise.Convert(a, compute), Elementwise.Convert(b, compute), h, axis, reverse);
            h = Elementwise.Convert(h, type);
            if (Tape.Needs(h.Scope, a, b))
            {
                h.Scope!.Tape!.Record(new LinearRecurrence(axis, reverse), [a, b], h);
            }
            return h;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor a = c.Input(0), h = c.Output(0);
            Tensor g = Apply(a.Shifted(_dim, _reverse ? 1 : -1), c.GradOutput(), _dim, !_reverse);
            c.Grad(1, g);
            if (c.Needs(0))
            {
                c.Grad(0, g * h.Shifted(_dim, _reverse ? -1 : 1));
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>h[t] = this[t] h[t - 1] + input[t] along one dimension, starting from input[0].</summary>
        public Tensor LinearRecurrence(Tensor input, int dim) => Ops.LinearRecurrence.Apply(this, input, dim);

        /// <summary>The elements moved by one along a dimension: up (1) or down (-1); <paramref name="fill"/> comes in.</summary>
        internal Tensor Shifted(int dim, int by, double fill = 0)
        {
            long n = Shape[dim];
            if (n == 0)
            {
                return this;
            }
            Tensor edge = Allocate(this, Shape.With(dim, 1));
            edge.Fill(fill);
            return by > 0 ? Cat([edge, Slice(dim, 0, n - 1)], dim) : Cat([Slice(dim, 1, n - 1), edge], dim);
        }
    }
}
