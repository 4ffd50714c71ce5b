using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>A copy, possibly in another type or owner. dx = dy, converted back.</summary>
    public sealed class Copy : Op
    {
        /// <inheritdoc/>
        public override string Name => "copy";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>A dense row-major copy in the given type.</summary>
        public static Tensor Apply(Tensor x, DType dtype)
        {
            Tensor y = Tensor.Allocate(x, x.Shape, dtype);
            CopyLoop.Run(x, y);
            if (dtype.IsFloat && Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Copy(), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput().To(c.Input(0).DType));
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>This tensor, or a dense row-major copy when its elements do not lie so.</summary>
        public Tensor Contiguous() => IsContiguous ? this : Ops.Copy.Apply(this, DType);

        /// <summary>A dense copy in the same scope; gradients flow through.</summary>
        public Tensor Clone() => Ops.Copy.Apply(this, DType);

        /// <summary>A dense copy owned by <paramref name="scope"/> (null: by no scope), without history.</summary>
        public Tensor Clone(Scope? scope)
        {
            Tensor y = Allocate(scope, Shape, DType, Device);
            CopyLoop.Run(this, y);
            return y;
        }

        /// <summary>This tensor, or its elements converted to another type (floats to integers truncate).</summary>
        public Tensor To(DType dtype) => DType == dtype ? this : Ops.Copy.Apply(this, dtype);
    }
}
