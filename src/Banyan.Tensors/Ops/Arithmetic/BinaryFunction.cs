using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>A function of two elements and its two partial derivatives, each times dy, in tensor operations.</summary>
internal interface IBinaryFunction : IBinary
{
    /// <summary>PyTorch's name.</summary>
    static abstract string Name { get; }

    /// <summary>dy * df/da, in the broadcast shape.</summary>
    static abstract Tensor GradA(Tensor a, Tensor b, Tensor y, Tensor dy);

    /// <summary>dy * df/db, in the broadcast shape.</summary>
    static abstract Tensor GradB(Tensor a, Tensor b, Tensor y, Tensor dy);
}

/// <summary>y = f(a, b), broadcast. The gradients are summed over the dimensions that were broadcast.</summary>
internal sealed class BinaryFunction<F> : Op where F : struct, IBinaryFunction
{
    /// <inheritdoc/>
    public override string Name => F.Name;

    /// <summary>f(a, b) in the promoted type.</summary>
    public static Tensor Apply(Tensor a, Tensor b)
    {
        Tensor y = Elementwise.Binary<F>(a, b);
        if (Tape.Needs(y.Scope, a, b))
        {
            y.Scope!.Tape!.Record(new BinaryFunction<F>(), [a, b], y);
        }
        return y;
    }

    /// <summary>f(a, b) for functions that are no integers of integers: two integer tensors count as float32.</summary>
    public static Tensor ApplyAsFloat(Tensor a, Tensor b) => a.DType.IsFloat || b.DType.IsFloat ? Apply(a, b) : Apply(a.To(DType.Float32), b);

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c)
    {
        Tensor a = c.Input(0), b = c.Input(1), y = c.Output(0), dy = c.GradOutput();
        if (c.Needs(0))
        {
            c.Grad(0, F.GradA(a, b, y, dy).SumTo(a));
        }
        if (c.Needs(1))
        {
            c.Grad(1, F.GradB(a, b, y, dy).SumTo(b));
        }
    }
}
