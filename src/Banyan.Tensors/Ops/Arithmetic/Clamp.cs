using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = min(max(x, low), high). dx = dy where low &lt;= x &lt;= high, else 0.</summary>
    public sealed class Clamp : Op
    {
        private readonly double? _low, _high;

        private Clamp(double? low, double? high) => (_low, _high) = (low, high);

        /// <inheritdoc/>
        public override string Name => "clamp";

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The limited elements; NaN stays.</summary>
        public static Tensor Apply(Tensor x, double? low, double? high)
        {
            Tensor y = low is { } l ? Elementwise.Binary<Maximum>(x, x.Number(l)) : x.Detach();
            y = high is { } h ? Elementwise.Binary<Minimum>(y, x.Number(h)) : y;
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Clamp(low, high), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor x = c.Input(0), dx = c.GradOutput();
            dx = _low is { } low ? dx.MaskedFill(~(x >= low), 0) : dx;
            c.Grad(0, _high is { } high ? dx.MaskedFill(~(x <= high), 0) : dx);
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Elements limited to [min, max]; on a limit the slope is 1. Where min exceeds max the result is max.</summary>
        public Tensor Clamp(double? min = null, double? max = null) => Ops.Clamp.Apply(this, min, max);

        /// <summary>Elements limited by tensors, broadcast; the gradient of an element that was limited goes to its limit.</summary>
        public Tensor Clamp(Tensor? min, Tensor? max)
        {
            Tensor y = min is null ? this : Where(this < min, min, this);
            return max is null ? y : Where(y > max, max, y);
        }
    }
}
