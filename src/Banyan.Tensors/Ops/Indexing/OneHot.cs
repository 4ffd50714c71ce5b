namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>Vectors of zeros with a 1 at the class: (..., numClasses), int64.</summary>
    /// <param name="numClasses">How many classes there are; -1: one more than the largest in this tensor.</param>
    /// <exception cref="ArgumentOutOfRangeException">A class is not in [0, numClasses).</exception>
    public Tensor OneHot(long numClasses = -1)
    {
        long classes = numClasses >= 0 ? numClasses : checked((long)Max().Item() + 1);
        return Allocate(this, Shape.Insert(-1, classes), DType.Int64).Filled(0).Scatter(-1, Unsqueeze(-1), 1);
    }
}
