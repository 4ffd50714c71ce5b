namespace Banyan.Ops;

/// <summary>A constant linear map along one dimension: what resampling of images and signals comes down to.</summary>
internal static class AxisProduct
{
    /// <summary>y[.., j, ..] = sum of x[.., i, ..] weights[i, j]; the weights are (from, to), row-major.</summary>
    public static Tensor Apply(Tensor x, int dim, double[] weights, long to)
    {
        Tensor w = Tensor.Allocate(x, [x.Shape[dim], to], DType.Float64);
        w.CopyFrom<double>(weights);
        return x.Transpose(dim, -1).MatMul(w.To(x.DType)).Transpose(dim, -1);
    }
}
