namespace Banyan.Cpu;

/// <summary>Allocates the result of an elementwise function and runs its loop; half types compute in float32.</summary>
internal static class Elementwise
{
    /// <summary>A new tensor f(x); integers are converted to float32 first.</summary>
    public static Tensor Unary<F>(Tensor x) where F : struct, IUnary
    {
        if (x.DType == DType.Float32 || x.DType == DType.Float64)
        {
            Tensor y = Tensor.Allocate(x, x.Shape);
            UnaryLoop.Run<F>(x, y);
            return y;
        }
        Tensor wide = Unary<F>(Convert(x, DType.Float32));
        return x.DType.IsFloat ? Convert(wide, x.DType) : wide;
    }

    /// <summary>A new tensor f(a, b), broadcast, in the type that PyTorch promotes the two to.</summary>
    public static Tensor Binary<F>(Tensor a, Tensor b) where F : struct, IBinary
    {
        DType result = Promotion.Of(a, b);
        DType compute = Promotion.ComputeType(result);
        Tensor x = Convert(a, compute), y = Convert(b, compute);
        Tensor z = Tensor.Allocate(Tensor.ScopeOf(a, b), Shape.Broadcast(a.Shape, b.Shape), compute, a.Device);
        BinaryLoop.Run<F>(x, y, z);
        return Convert(z, result);
    }

    /// <summary>x = f(x, b), in place.</summary>
    public static void BinaryInPlace<F>(Tensor x, Tensor b) where F : struct, IBinary
    {
        x.CheckWritable();
        if (Shape.Broadcast(x.Shape, b.Shape) != x.Shape)
        {
            throw new ArgumentException($"in-place operation: {b.Shape} does not broadcast to {x.Shape}");
        }
        DType compute = Promotion.ComputeType(x.DType);
        if (compute == x.DType)
        {
            BinaryLoop.Run<F>(x, Convert(b, compute), x);
        }
        else
        {
            Tensor wide = Convert(x, compute);
            BinaryLoop.Run<F>(wide, Convert(b, compute), wide);
            CopyLoop.Run(wide, x);
        }
        x.MarkChanged();
    }

    /// <summary>x itself, or a copy in another type (not recorded).</summary>
    public static Tensor Convert(Tensor x, DType dtype)
    {
        if (x.DType == dtype)
        {
            return x;
        }
        Tensor y = Tensor.Allocate(x, x.Shape, dtype);
        CopyLoop.Run(x, y);
        return y;
    }
}
