using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>An elementwise function that is computed in double precision, and its derivative in tensor operations.</summary>
internal interface IRareFunction
{
    /// <summary>PyTorch's name.</summary>
    static abstract string Name { get; }

    /// <summary>f(x).</summary>
    static abstract double Apply(double x);

    /// <summary>f'(x).</summary>
    static abstract Tensor Slope(Tensor x);
}

/// <summary>y = f(x), lane by lane in double precision: trigonometry, gamma functions. dx = dy * f'(x).</summary>
/// <remarks>Functions that models call often are an <see cref="Activation{F}"/> instead.</remarks>
internal sealed class RareFunction<F> : Op where F : struct, IRareFunction
{
    /// <inheritdoc/>
    public override string Name => F.Name;

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>f of every element; integers in float32.</summary>
    public static Tensor Apply(Tensor x)
    {
        Tensor y = Elementwise.Unary<Kernel>(x);
        if (Tape.Needs(y.Scope, x))
        {
            y.Scope!.Tape!.Record(new RareFunction<F>(), [x], y);
        }
        return y;
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c) => c.Grad(0, c.GradOutput() * F.Slope(c.Input(0)));

    private readonly struct Kernel : IUnary
    {
        public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => PerLane.Unary<Kernel, S, V>(x);

        public static double Apply(double x) => F.Apply(x);
    }
}
