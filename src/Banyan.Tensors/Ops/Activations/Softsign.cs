namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>x / (1 + |x|).</summary>
    public Tensor Softsign() => this / (Abs() + 1);
}
