using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = condition ? a : b, broadcast. da = dy where the condition holds, else 0; db the other way round.</summary>
    public sealed class Where : Op
    {
        /// <inheritdoc/>
        public override string Name => "where";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 1;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>The choice, in the promoted type of a and b.</summary>
        public static Tensor Apply(Tensor condition, Tensor a, Tensor b)
        {
            DType type = Promotion.Of(a, b);
            Shape shape = Shape.Broadcast(condition.Shape, Shape.Broadcast(a.Shape, b.Shape));
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(a, b, condition), shape, type, a.Device);
            WhereLoop.Run(Elementwise.Convert(condition, DType.Bool), Elementwise.Convert(a, type), Elementwise.Convert(b, type), y);
            if (Tape.Needs(y.Scope, a, b))
            {
                y.Scope!.Tape!.Record(new Where(), [condition, a, b], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c)
        {
            Tensor condition = c.Input(0), dy = c.GradOutput(), zero = c.Scope.Zeros([], dy.DType);
            if (c.Needs(1))
            {
                c.Grad(1, Apply(condition, dy, zero).SumTo(c.Input(1)));
            }
            if (c.Needs(2))
            {
                c.Grad(2, Apply(condition, zero, dy).SumTo(c.Input(2)));
            }
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>a where the condition holds, b elsewhere; all broadcast.</summary>
        public static Tensor Where(Tensor condition, Tensor a, Tensor b) => Ops.Where.Apply(condition, a, b);

        /// <summary>A number where the mask holds, else this tensor's elements.</summary>
        public Tensor MaskedFill(Tensor mask, double value) => Where(mask, Number(value), this);
    }
}
