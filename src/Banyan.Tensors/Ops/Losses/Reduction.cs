namespace Banyan;

/// <summary>How a loss combines its elements.</summary>
public enum Reduction
{
    /// <summary>Their mean; what it divides by is said at each loss.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>None: every element by itself.</summary>
    None,

    /// <summary>The sum divided by the size of the first dimension.</summary>
    BatchMean,
}

/// <summary>Loss functions with PyTorch's names. The default reduction is the mean.</summary>
public static partial class Loss
{
    private static Tensor Reduce(Tensor loss, Reduction reduction) => reduction switch
    {
        Reduction.Mean => loss.Mean(),
        Reduction.Sum => loss.Sum(),
        Reduction.BatchMean => loss.Sum() / loss.Shape[0],
        _ => loss,
    };
}
