using Banyan.Autograd;

namespace Banyan.Ops
{
    /// <summary>The identity: brings a leaf into a scope. y = x, dx = dy; no element is copied.</summary>
    public sealed class Alias : Op
    {
        /// <inheritdoc/>
        public override string Name => "alias";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>A tensor of <paramref name="scope"/> over the elements of <paramref name="x"/>.</summary>
        public static Tensor Apply(Tensor x, Scope scope)
        {
            Tensor y = scope.View(x.Body, x.Shape, x.Strides, x.Body.Offset, x.DType);
            if (Tape.Needs(scope, x))
            {
                scope.Tape!.Record(new Alias(), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput());
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>
        /// This tensor in the scope of <paramref name="like"/>. A view of a leaf outside any scope is not recorded, so operations that reshape
        /// their weights bring them in first, or the weights would get no gradient.
        /// </summary>
        internal Tensor InScopeOf(Tensor like) => Scope is null && like.Scope is { } scope ? scope.Use(this) : this;
    }
}
