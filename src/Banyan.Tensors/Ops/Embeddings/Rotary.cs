using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops
{
    /// <summary>
    /// Rotary position embedding (Su et al. 2021): pairs (a, b) of each head become (a cos - b sin, b cos + a sin). Pairs are (i, i + half), or
    /// (2i, 2i + 1) when interleaved; elements from 2 * half on stay. The gradient turns the other way: dy with -sin.
    /// </summary>
    public sealed class Rotary : Op
    {
        private readonly bool _interleaved, _inverse;

        private Rotary(bool interleaved, bool inverse) => (_interleaved, _inverse) = (interleaved, inverse);

        /// <inheritdoc/>
        public override string Name => "rotary";

        /// <inheritdoc/>
        protected internal override uint SavedInputs => 0b110;

        /// <inheritdoc/>
        protected internal override uint SavedOutputs => 0;

        /// <summary>Turns the heads of x by their token's angles.</summary>
        /// <param name="x">(tokens, H, D), any strides.</param>
        /// <param name="cos">(tokens, half), half at most D / 2: fewer leave the rest of each head as it is. Constants: no gradient flows to it.</param>
        /// <param name="sin">(tokens, half).</param>
        /// <param name="interleaved">Pairs are (2i, 2i + 1) instead of (i, i + half). Default: false.</param>
        /// <returns>(tokens, H, D), dense.</returns>
        /// <exception cref="ArgumentException">The shapes do not fit.</exception>
        public static Tensor Apply(Tensor x, Tensor cos, Tensor sin, bool interleaved = false) => Turn(x, cos, sin, interleaved, inverse: false);

        private static Tensor Turn(Tensor x, Tensor cos, Tensor sin, bool interleaved, bool inverse)
        {
            if (x.Rank != 3 || !x.DType.IsFloat || cos.Rank != 2 || cos.Shape != sin.Shape || cos.Shape[0] != x.Shape[0] || 2 * cos.Shape[1] > x.Shape[2])
            {
                throw new ArgumentException($"rotary: x must be a float (tokens, heads, dim), cos and sin (tokens, half) with 2 * half <= dim; given {x}, {cos.Shape}, {sin.Shape}");
            }
            DType type = Promotion.ComputeType(x.DType);
            Tensor wide = Elementwise.Convert(x, type), c = Angles(cos, type), s = Angles(sin, type);
            Tensor y = Tensor.Allocate(Tensor.ScopeOf(x, cos), x.Shape, type, x.Device);
            if (type == DType.Float32)
            {
                wide = wide.Strides[2] == 1 || wide.Shape[2] == 1 ? wide : wide.Detach().Contiguous();
                TensorRows.Rotary(wide, y, c, s, interleaved, inverse);
            }
            else
            {
                Obvious(wide.Detach(), y, c.Detach().Unsqueeze(1), (inverse ? -s.Detach() : s.Detach()).Unsqueeze(1), interleaved);
            }
            y = Elementwise.Convert(y, x.DType);
            if (Tape.Needs(y.Scope, x))
            {
                y.Scope!.Tape!.Record(new Rotary(interleaved, inverse), [x, cos, sin], y);
            }
            return y;
        }

        private static Tensor Angles(Tensor x, DType type) => x.IsContiguous && x.DType == type ? x : Elementwise.Convert(x.Detach(), type).Contiguous();

        // float64, the oracle of the kernel.
        private static void Obvious(Tensor x, Tensor y, Tensor cos, Tensor sin, bool interleaved)
        {
            long half = cos.Shape[2], second = interleaved ? 1 : half, step = interleaved ? 2 : 1;
            Tensor a = x.Slice(2, 0, half, step), b = x.Slice(2, second, half, step);
            y.CopyFrom(x);
            y.Slice(2, 0, half, step).CopyFrom(a * cos - b * sin);
            y.Slice(2, second, half, step).CopyFrom(b * cos + a * sin);
        }

        /// <inheritdoc/>
        protected internal override void Backward(in BackwardContext c) => c.Grad(0, Turn(c.GradOutput(), c.Input(1), c.Input(2), _interleaved, !_inverse));
    }
}
