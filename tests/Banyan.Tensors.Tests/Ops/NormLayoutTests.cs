using Xunit;

namespace Banyan.Tensors.Tests;

/// <summary>Norms give the same bits wherever their rows lie: a token alone is dense, among others it may be a view.</summary>
public sealed class NormLayoutTests
{
    [Fact]
    public void ViewsAndCopiesHaveTheSameBits()
    {
        Tensor x = Tensor.Zeros([3, 17, 40], DType.Float32), w = Tensor.Zeros([40], DType.Float32);
        x.FillNormal(1, 1);
        w.FillNormal(1, 2);
        Tensor view = x.Transpose(0, 1), copy = view.Contiguous();
        Assert.Equal(copy.LayerNorm(w, w).ToDoubles(), view.LayerNorm(w, w).ToDoubles());
        Assert.Equal(copy.RmsNorm(w, 1e-6).ToDoubles(), view.RmsNorm(w, 1e-6).ToDoubles());
        Assert.Equal(copy.Slice(0, 5, 1).RmsNorm(w, 1e-6).ToDoubles(), view.RmsNorm(w, 1e-6).Slice(0, 5, 1).ToDoubles());
    }
}
