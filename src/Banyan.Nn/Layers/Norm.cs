namespace Banyan.Nn;

/// <summary>A normalisation over the last dimension, of whichever kind an architecture takes.</summary>
public abstract class Norm : Module
{
    /// <summary>(..., C) to (..., C).</summary>
    public abstract Tensor Forward(Tensor x, ForwardPass pass);
}
