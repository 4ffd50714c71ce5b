namespace Banyan;

// Sums of products with names of their own; each is a formula in other operations.
public sealed partial class Tensor
{
    /// <summary>this + alpha * b.</summary>
    public Tensor Add(Tensor b, double alpha = 1) => this + (alpha == 1 ? b : b * alpha);

    /// <summary>this - alpha * b.</summary>
    public Tensor Sub(Tensor b, double alpha = 1) => this - (alpha == 1 ? b : b * alpha);

    /// <summary>this + value * a * b.</summary>
    public Tensor AddCMul(Tensor a, Tensor b, double value = 1) => Add(a * b, value);

    /// <summary>this + value * a / b.</summary>
    public Tensor AddCDiv(Tensor a, Tensor b, double value = 1) => Add(a / b, value);

    /// <summary>this + weight * (end - this): linear interpolation.</summary>
    public Tensor Lerp(Tensor end, Tensor weight) => this + weight * (end - this);

    /// <summary>this + weight * (end - this): linear interpolation.</summary>
    public Tensor Lerp(Tensor end, double weight) => this + (end - this) * weight;
}
