using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Inference;

/// <summary>Finds the module whose output is the first to hold NaN or infinite numbers.</summary>
/// <param name="source">The model's path, for the message.</param>
public sealed class FiniteTap(string source) : ITap
{
    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The output is not finite; the message names the module and where in it.</exception>
    public Tensor Visit(string path, Tensor output)
    {
        if (output.DType.IsFloat && output.IsFinite().ToDoubles() is var finite && Array.IndexOf(finite, 0) is >= 0 and int at)
        {
            long width = output.Rank > 0 ? output.Shape[-1] : 1;
            throw new CheckpointException(source, $"the output of \"{path}\" is the first that is not finite: {output.ToDoubles()[at]} at row {at / width}, column {at % width} of {output.Shape}");
        }
        return output;
    }
}
