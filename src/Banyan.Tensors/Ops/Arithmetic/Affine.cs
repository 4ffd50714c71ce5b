using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>y = scale * x + shift with numbers, in x's type (float32 for integers). dx = scale * dy.</summary>
    public sealed class Affine : Op
    {
        private readonly double _scale;

        private Affine(double scale) => _scale = scale;

        /// <inheritdoc/>
        public override string Name => "affine";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>scale * x + shift.</summary>
        public static Tensor Apply(Tensor x, double scale, double shift)
        {
            Tensor source = x.DType.IsFloat ? x : Elementwise.Convert(x, DType.Float32);
            DType compute = Promotion.ComputeType(source.DType);
            Tensor wide = Elementwise.Convert(source, compute);
            Tensor y = Tensor.Allocate(x, x.Shape, compute);
            AffineLoop.Run(wide, y, scale, shift);
            y = Elementwise.Convert(y, source.DType);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Affine(scale), [x], y);
            }
            return y;
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput() * _scale);
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>Every element times <paramref name="s"/>.</summary>
        public static Tensor operator *(Tensor x, double s) => Ops.Affine.Apply(x, s, 0);

        /// <summary>Every element times <paramref name="s"/>.</summary>
        public static Tensor operator *(double s, Tensor x) => Ops.Affine.Apply(x, s, 0);

        /// <summary>Every element divided by <paramref name="s"/>.</summary>
        public static Tensor operator /(Tensor x, double s) => Ops.Affine.Apply(x, 1 / s, 0);

        /// <summary>Every element plus <paramref name="s"/>.</summary>
        public static Tensor operator +(Tensor x, double s) => Ops.Affine.Apply(x, 1, s);

        /// <summary>Every element minus <paramref name="s"/>.</summary>
        public static Tensor operator -(Tensor x, double s) => Ops.Affine.Apply(x, 1, -s);

        /// <summary><paramref name="s"/> minus every element.</summary>
        public static Tensor operator -(double s, Tensor x) => Ops.Affine.Apply(x, -1, s);

        /// <summary>The negative of every element.</summary>
        public static Tensor operator -(Tensor x) => x.Neg();
    }
}
