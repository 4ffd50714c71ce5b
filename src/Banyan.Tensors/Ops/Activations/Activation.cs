using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>An elementwise function together with its derivative.</summary>
internal interface IActivation : IUnary
{
    /// <summary>PyTorch's name.</summary>
    static abstract string Name { get; }

    /// <summary>f'(x).</summary>
    static abstract V Slope<S, V>(V x) where S : struct, ISimd<V> where V : struct;

    /// <summary>f'(x).</summary>
    static abstract double Slope(double x);

    /// <summary>f'(x) in tensor operations, for derivatives of higher order.</summary>
    static abstract Tensor Slope(Tensor x);
}

/// <summary>y = f(x), element by element. dx = dy * f'(x), in one pass.</summary>
internal sealed class Activation<F> : Op where F : struct, IActivation
{
    /// <inheritdoc/>
    public override string Name => F.Name;

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>f of every element; integers in float32.</summary>
    public static Tensor Apply(Tensor x)
    {
        Tensor y = Elementwise.Unary<F>(x);
        if (Tape.Needs(y.Scope, x))
        {
            y.Scope!.Tape!.Record(new Activation<F>(), [x], y);
        }
        return y;
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor x = c.Input(0), dy = c.GradOutput();
        c.Grad(0, c.CreateGraph ? dy * F.Slope(x) : Elementwise.Binary<TimesSlope>(dy, x));
    }

    private readonly struct TimesSlope : IBinary
    {
        public static V Apply<S, V>(V dy, V x) where S : struct, ISimd<V> where V : struct => S.Mul(dy, F.Slope<S, V>(x));

        public static double Apply(double dy, double x) => dy * F.Slope(x);

        public static long Apply(long dy, long x) => throw new NotSupportedException("integers have no gradient");
    }
}
